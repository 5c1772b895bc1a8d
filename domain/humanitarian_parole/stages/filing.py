"""Filing: what was filed, and the rules on who the beneficiary is."""

from dataclasses import dataclass
from typing import Annotated, Literal

from domain.humanitarian_parole.application import (
    ERASED_APPLICATION,
    Application,
    Beneficiary,
    Document,
)
from domain.humanitarian_parole.world import Draft
from domain.kernel.case import Case, with_part
from domain.kernel.definition import (
    Events,
    Stage,
    Wait,
    Words,
    event,
    first_of,
    message,
    report,
)
from domain.kernel.events import CaseClosed, CaseEvent, Personal
from domain.kernel.ids import CaseId, Code, Digest, EventId, ProgrammeId, RulesVersion
from domain.kernel.messages import FileApplication, Message, Rejection, Submission, TakeMessage


class ApplicationSubmitted(Submission):
    """A supporter files for a beneficiary."""

    message: Literal["application.submitted"] = "application.submitted"
    application: Application


class WithdrawalRequest(Message):
    """The applicant or the supporter withdraws the application."""

    SENDERS = ("applicant", "supporter")
    message: Literal["application.withdrawn"] = "application.withdrawn"


class ApplicationFiled(CaseEvent):
    """A case began."""

    programme: ProgrammeId
    rules_version: RulesVersion
    rules_digest: Digest
    principal: CaseId | None = None
    application: Annotated[Application, Personal(erased=ERASED_APPLICATION)]


class ApplicationWithdrawn(CaseEvent):
    """Somebody who may withdraw did."""

    by: Code
    """`applicant` or `supporter`."""


@dataclass(frozen=True)
class Filed:
    """What was filed, with the passport and surnames as they are now."""

    application: Application | None = None
    beneficiary: Beneficiary | None = None
    fact: EventId | None = None
    """The event that says who the beneficiary is now."""
    documents: tuple[Document, ...] = ()
    document_facts: tuple[EventId, ...] = ()


def application_of(case: Case) -> Application:
    """What was filed. Raises `ValueError` for a case that never was."""
    filed = case.of(Filed).application
    if filed is None:
        raise ValueError("the case was never filed")
    return filed


def beneficiary_of(case: Case) -> Beneficiary:
    """The beneficiary of a filed case. Raises `ValueError` for a case that never was."""
    found = case.of(Filed).beneficiary
    if found is None:
        raise ValueError("the case was never filed")
    return found


def file_application(draft: Draft, command: FileApplication) -> None:
    """Record what was filed; judging it is the case's next step.

    Raises:
        Rejection: the case was already filed.
    """
    if draft.case.filed:
        raise Rejection("already-filed")
    if not isinstance(command.message, ApplicationSubmitted):
        raise Rejection("not-of-this-programme")
    application = command.message.application
    travels_with = application.beneficiary.travels_with
    draft.add(
        ApplicationFiled(
            at=command.received_at,
            programme=draft.world.programme.programme,
            rules_version=draft.world.rules.version,
            rules_digest=draft.world.rules.digest,
            principal=travels_with.case if travels_with else None,
            application=application,
        )
    )


def filed(events: Events) -> ApplicationSubmitted:
    """What was filed, made again from the events that followed from it."""
    return ApplicationSubmitted(application=first_of(ApplicationFiled, events).application)


def withdraw(draft: Draft, message: WithdrawalRequest, command: TakeMessage) -> None:
    """The case closes at once, a suspended programme's too.

    Raises:
        Rejection: the beneficiary was already paroled.
    """
    del message
    if draft.family.over(draft.case):
        raise Rejection("already-paroled")
    at = draft.not_before(command.received_at)
    draft.add(
        ApplicationWithdrawn(at=at, by="supporter" if command.source == "supporter" else "applicant"),
        CaseClosed(at=at, outcome="withdrawn", reason="applicant-withdrew"),
    )


def _application_filed(case: Case, event: ApplicationFiled) -> Case:
    filed = Filed(
        application=event.application,
        beneficiary=event.application.beneficiary,
        fact=case.next_event_id,
        documents=event.application.documents,
        document_facts=(case.next_event_id,),
    )
    return with_part(
        case,
        filed,
        programme=event.programme,
        rules_version=event.rules_version,
        filed_at=event.at,
        stage="sponsor_confirmation",
    )


STAGE = Stage(
    name=None,
    events=(
        event(
            ApplicationFiled,
            _application_filed,
            Words("An application was filed.", "Se presentó una solicitud."),
        ),
        report(
            ApplicationWithdrawn,
            Words("The application was withdrawn by the {by}.", "La solicitud fue retirada ({by})."),
            codes={
                "applicant": Words("applicant", "la persona solicitante"),
                "supporter": Words("supporter", "persona de apoyo"),
            },
        ),
    ),
    messages=(
        message(
            WithdrawalRequest,
            withdraw,
            "The applicant or the supporter withdraws: closes.",
            {"source": "supporter"},
            ends=True,
        ),
    ),
    senders={
        "supporter": Words("the supporter", "la persona de apoyo"),
        "applicant": Words("the applicant", "la persona solicitante"),
    },
    waits={
        "applicant": Wait(
            Words("the applicant", "la persona solicitante"),
            "the applicant sends what was asked: `evidence.submitted` or `sponsor.replaced`",
        ),
    },
    outcomes={
        "completed": Words("completed", "concluido"),
        "ineligible": Words("not eligible", "no elegible"),
        "denied": Words("denied", "denegado"),
        "duplicate": Words("an earlier case is open", "hay un caso anterior abierto"),
        "withdrawn": Words("withdrawn", "retirado"),
    },
    reasons={
        "applicant-withdrew": Words("the application was withdrawn", "la solicitud fue retirada"),
    },
)
