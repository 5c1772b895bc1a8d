"""Proof of entry: whether it is needed, what Mexican records and documents show, and its limit.

A day is the local calendar day of the crossing, as written with its offset.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domain.humanitarian_parole.application import Beneficiary, Document, Entry, Manner, ShortText
from domain.humanitarian_parole.stages.filing import Filed, application_of, beneficiary_of
from domain.humanitarian_parole.stages.mexico_entry import (
    RULE,
    any_strong,
    cutoff,
    latest_mexican_entry,
    mexico_entry,
    mexico_entry_as_declared,
    mexico_entry_at,
    needs_proof,
)
from domain.humanitarian_parole.world import Draft
from domain.kernel.calendar import Deadline, paused_due
from domain.kernel.case import Case, Request, answered, asked, replace, settled, with_part
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    PartnerDefinition,
    QuestionDefinition,
    Stage,
    Words,
    answer,
    event,
    first_of,
    message,
)
from domain.kernel.events import CaseEvent, Personal, ReferredToOfficer
from domain.kernel.ids import MessageId
from domain.kernel.messages import Flags, Message, PartnerAnswer, PartnerCheck, Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.referrals import refer
from domain.kernel.rule_set import RuleSet

PARTNER = "entry_records"


class EntryCheck(PartnerCheck):
    """Do your records show the entries that this beneficiary declares and documents?"""

    beneficiary: Beneficiary
    entries: Annotated[tuple[Entry, ...], Field(max_length=100)]
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport.number


class EntryMatchedAnswer(PartnerAnswer):
    """Mexican records know the entry; what they leave out is as declared."""

    SENDERS = (PARTNER,)
    message: Literal["entry.matched"] = "entry.matched"
    entered_at: AwareDatetime | None = None
    place: ShortText | None = None
    manner: Manner | None = None


class EntryNotFoundAnswer(PartnerAnswer):
    """Mexican records do not know the entry."""

    SENDERS = (PARTNER,)
    message: Literal["entry.not_found"] = "entry.not_found"


class EntryMismatchAnswer(PartnerAnswer):
    """Mexican records say otherwise than the applicant."""

    SENDERS = (PARTNER,)
    message: Literal["entry.mismatch"] = "entry.mismatch"
    fields: Flags = ()


class EvidenceSubmission(Message):
    """The applicant sends proof of entry."""

    SENDERS = ("applicant",)
    message: Literal["evidence.submitted"] = "evidence.submitted"
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]


class EntryProofNotRequired(CaseEvent):
    """The beneficiary is not in Mexico."""


class EntryCheckRequested(CaseEvent):
    """Mexican records were asked."""

    request_id: MessageId


class EntryVerified(CaseEvent):
    """The entry was before the cutoff."""

    by: Literal["records", "document", "evidence", "officer"]
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None
    place: Annotated[ShortText | None, Personal(erased=None)] = None
    manner: Annotated[Manner | None, Personal(erased=None)] = None


class EntryRefused(CaseEvent):
    """The entry was not before the cutoff, or two officers refused it."""

    by_officer: bool = False
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None
    manner: Annotated[Manner | None, Personal(erased=None)] = None


class EvidenceRequested(CaseEvent):
    """The applicant is asked for proof of entry, within the evidence limit from `at`."""


class EvidenceReceived(CaseEvent):
    """The applicant sent documents; weak ones leave the limit standing."""

    strong: bool
    documents: Annotated[tuple[Document, ...], Personal(erased=())]


class EvidenceDeadlinePassed(CaseEvent):
    """The limit for evidence ended with nothing strong received before it."""


@dataclass(frozen=True)
class ProofOfEntry:
    """How far the entry is proved."""

    verified: bool = False
    asked: bool = False
    evidence_since: datetime | None = None
    """When evidence was asked for, while nothing strong has come."""
    evidence_taken: bool = False
    """Evidence may be sent: from the request for it until the entry is verified."""


def check_of(case: Case, request: Request) -> EntryCheck:
    """What Mexican records are asked."""
    return EntryCheck(
        request_id=request.request_id,
        case_id=case.case_id,
        requested_at=request.at,
        beneficiary=beneficiary_of(case),
        entries=application_of(case).entries,
        documents=case.of(Filed).documents,
    )


def check_entry(draft: Draft) -> Events:
    """The next step towards a proven entry, once the supporter is confirmed."""
    if not needs_proof(draft.case, draft.world):
        results = (mexico_entry_as_declared(draft.case, draft.world),) if RULE in draft.world.rules.rules else ()
        return (EntryProofNotRequired(at=draft.now, basis=draft.basis(*results)),)
    if draft.case.of(ProofOfEntry).asked:
        return ()
    return (EntryCheckRequested(at=draft.now, request_id=draft.case.next_event_id),)


def on_matched(draft: Draft, message: EntryMatchedAnswer) -> Events:
    """Mexican records know the entry; what they leave out is as declared."""
    declared = latest_mexican_entry(draft.case)
    entered_at = message.entered_at or (declared.entered_at if declared else None)
    manner: Manner = message.manner or (declared.manner if declared else "regular")
    if entered_at is None:
        return refer(draft, RULE, ("entry-date-missing",))
    result = mexico_entry_at(draft.case, entered_at, draft.world)
    basis = draft.basis(result)
    if result.result == "failed":
        refused = EntryRefused(at=draft.now, basis=basis, entered_at=entered_at, manner=manner)
        return (refused, *draft.closing("ineligible", RULE, basis))
    if manner == "irregular":
        return refer(draft, RULE, ("irregular-entry-before-cutoff",), basis=basis, answer=message)
    place = message.place or (declared.place if declared else None)
    verified = EntryVerified(at=draft.now, basis=basis, by="records", entered_at=entered_at, place=place, manner=manner)
    return (verified,)


def on_not_found(draft: Draft, message: EntryNotFoundAnswer) -> Events:
    """The records know nothing: a strong document decides, or evidence is asked for."""
    del message
    if any_strong(draft.case.of(Filed).documents, cutoff(draft.world)):
        return _strongly_documented(draft, by_evidence=False)
    return (EvidenceRequested(at=draft.now),)


def on_mismatch(draft: Draft, message: EntryMismatchAnswer) -> Events:
    """The records say otherwise than the applicant: an officer looks."""
    if not message.fields:
        return refer(draft, RULE, ("mismatch",))
    return refer(draft, RULE, message.fields, prefix="mismatch-")


def receive_evidence(draft: Draft, message: EvidenceSubmission, command: TakeMessage) -> None:
    """Record what the applicant sent; weak evidence leaves the limit standing.

    Raises:
        Rejection: no evidence was asked for, or the entry is already verified.
    """
    if not draft.case.of(ProofOfEntry).evidence_taken:
        raise Rejection("no-evidence-wanted")
    strong = any_strong(message.documents, cutoff(draft.world))
    at = draft.not_before(command.received_at)
    draft.add(EvidenceReceived(at=at, strong=strong, documents=message.documents))


def _matched(events: Events) -> EntryMatchedAnswer:
    for each in events:
        if isinstance(each, EntryVerified):
            return EntryMatchedAnswer(entered_at=each.entered_at, place=each.place, manner=each.manner)
        if isinstance(each, EntryRefused):
            return EntryMatchedAnswer(entered_at=each.entered_at, manner=each.manner)
        if isinstance(each, ReferredToOfficer) and each.answer:
            return EntryMatchedAnswer.model_validate_json(each.answer.body)
    return EntryMatchedAnswer()


def _mismatch(events: Events) -> EntryMismatchAnswer:
    referred = first_of(ReferredToOfficer, events)
    return EntryMismatchAnswer(fields=() if referred.codes == ("mismatch",) else referred.flags)


def judge_evidence(draft: Draft) -> Events:
    """Strong evidence has come: the entry is verified, without a new call to the records."""
    proof = draft.case.of(ProofOfEntry)
    if not proof.evidence_taken or proof.evidence_since or draft.case.has_referral(RULE):
        return ()
    return _strongly_documented(draft, by_evidence=True)


def _strongly_documented(draft: Draft, *, by_evidence: bool) -> Events:
    declared = latest_mexican_entry(draft.case)
    basis = draft.basis(mexico_entry(draft.case, passed=True, because="strong-document"))
    if declared is not None and declared.manner == "irregular":
        return refer(draft, RULE, ("irregular-entry-before-cutoff",), basis=basis)
    return (EntryVerified(at=draft.now, basis=basis, by="evidence" if by_evidence else "document"),)


def approved_by_officer(draft: Draft) -> Events:
    """An officer accepted the entry."""
    basis = draft.basis(mexico_entry(draft.case, passed=True, because="officer-approved"))
    return (EntryVerified(at=draft.now, basis=basis, by="officer"),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers refused the entry."""
    del number
    basis = draft.basis(mexico_entry(draft.case, passed=False, because="officer-denied"))
    return (EntryRefused(at=draft.now, basis=basis, by_officer=True), *draft.closing("denied", RULE, basis))


def end_evidence(draft: Draft, due_at: datetime) -> None:
    """The limit for evidence passed with nothing strong received before it."""
    draft.add(EvidenceDeadlinePassed(at=draft.not_before(due_at)))
    draft.add(*draft.closing("ineligible", "evidence-deadline"))


def running(case: Case, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The limit for evidence."""
    since = case.of(ProofOfEntry).evidence_since
    if since is not None and not programme.suspended:
        due = paused_due(since, rules.limit("evidence"), programme.pauses, rules.pause_floor)
        if due is not None:
            yield Deadline(due, "evidence")


def _settled(case: Case, event: CaseEvent) -> Case:
    del event
    return with_part(
        case,
        replace(case.of(ProofOfEntry), verified=True, evidence_since=None, evidence_taken=False),
        requests=answered(case, PARTNER),
        referrals=settled(case, RULE),
        stage="security_vetting",
    )


def _requested(case: Case, event: EntryCheckRequested) -> Case:
    requests = asked(case, PARTNER, event.request_id, event.at)
    return with_part(case, replace(case.of(ProofOfEntry), asked=True), requests=requests)


def _refused(case: Case, event: EntryRefused) -> Case:
    del event
    return replace(case, requests=answered(case, PARTNER))


def _evidence_requested(case: Case, event: EvidenceRequested) -> Case:
    proof = replace(case.of(ProofOfEntry), evidence_since=event.at, evidence_taken=True)
    return with_part(case, proof, requests=answered(case, PARTNER))


def _evidence_received(case: Case, event: EvidenceReceived) -> Case:
    filed, proof = case.of(Filed), case.of(ProofOfEntry)
    filed = replace(
        filed,
        documents=(*filed.documents, *event.documents),
        document_facts=(*filed.document_facts, case.next_event_id),
    )
    case = with_part(case, filed)
    return with_part(case, replace(proof, evidence_since=None)) if event.strong else case


def _evidence_lapsed(case: Case, event: EvidenceDeadlinePassed) -> Case:
    del event
    return with_part(case, replace(case.of(ProofOfEntry), evidence_since=None, evidence_taken=False))


STAGE = Stage(
    name="proof_of_entry",
    title=Words("proof of entry", "comprobante de ingreso"),
    events=(
        event(
            EntryProofNotRequired,
            _settled,
            Words("No proof of entry into Mexico is needed.", "No se requiere comprobante de ingreso a México."),
        ),
        event(
            EntryCheckRequested,
            _requested,
            Words("The Mexican entry records were asked.", "Se consultaron los registros migratorios de México."),
        ),
        event(
            EntryVerified,
            _settled,
            Words("The entry into Mexico is verified ({by}).", "El ingreso a México quedó verificado ({by})."),
            codes={
                "records": Words("by the records", "por los registros"),
                "document": Words("by a document", "por un documento"),
                "evidence": Words("by evidence", "por un comprobante"),
                "officer": Words("by an officer", "por un oficial"),
            },
        ),
        event(
            EntryRefused,
            _refused,
            Words("The entry into Mexico does not qualify.", "El ingreso a México no cumple el requisito."),
        ),
        event(
            EvidenceRequested,
            _evidence_requested,
            Words(
                "The applicant was asked for proof of entry.",
                "Se pidió a la persona solicitante un comprobante de ingreso.",
            ),
            lengths=("evidence",),
        ),
        event(
            EvidenceReceived,
            _evidence_received,
            Words("Proof of entry was received ({strong}).", "Se recibió un comprobante ({strong})."),
            codes={"True": Words("strong", "sólido"), "False": Words("weak", "débil")},
        ),
        event(
            EvidenceDeadlinePassed,
            _evidence_lapsed,
            Words("The limit for proof of entry ended.", "Venció el plazo para el comprobante de ingreso."),
            lengths=("evidence",),
        ),
    ),
    messages=(
        message(
            EvidenceSubmission,
            receive_evidence,
            "The applicant sends proof of entry.",
            said=lambda events: EvidenceSubmission(documents=first_of(EvidenceReceived, events).documents),
        ),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the Mexican entry records", "los registros migratorios de México"),
            waiting_on="entry_records",
            asks=EntryCheck,
            check=check_of,
            answers=(
                answer(
                    EntryMatchedAnswer,
                    on_matched,
                    "Mexican records know the entry as it was declared.",
                    said=_matched,
                ),
                answer(EntryNotFoundAnswer, on_not_found, "Mexican records do not know the entry."),
                answer(
                    EntryMismatchAnswer,
                    on_mismatch,
                    "Mexican records differ: an officer looks.",
                    {"fields": ["entered_at"]},
                    said=_mismatch,
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, approved_by_officer, denied_by_officers),),
    limits=(LimitDefinition("evidence", end_evidence, "proof of entry is awaited"),),
    lengths=("evidence",),
    reasons={
        "evidence-deadline": Words("the limit for evidence ended", "venció el plazo para el comprobante"),
    },
    carry_on=check_entry,
    done=lambda case: case.of(ProofOfEntry).verified,
)
