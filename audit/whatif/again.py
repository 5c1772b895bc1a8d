"""Deciding a recorded command anew, with the domain's own decider. Pure.

The message itself is not in the log; what it said is. Where a rule decides in taking the message, the message is put
together again from the events; everywhere else what was reported is taken as recorded, and what follows is decided. A
way to decide counts only if it gives, under the rules of the time, exactly what was recorded.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from audit.whatif.record import Recorded
from domain import events as e
from domain import messages as m
from domain.case import Case
from domain.commands import Command, FileApplication, MeetDeadline, TakeMessage
from domain.decide.decider import take
from domain.decide.draft import Draft
from domain.decide.progress import go_on
from domain.events import CaseEvent
from domain.vocabulary import DeadlineName
from domain.world import World

Again = Callable[[Case, World], tuple[CaseEvent, ...]]
"""Decides: the events that follow."""


def ways(before: Case, decision: Recorded) -> Iterator[Again]:
    """How the command may be decided anew, the most telling first."""
    command = _command(before, decision)
    if command is not None:
        yield _by_command(command)
    for given in range(len(decision.events) + 1):
        if given and getattr(decision.events[given - 1], "basis", None) is not None:
            return  # what rests on rules is decided, never taken as reported
        yield _by_report(decision.events[:given])


def _by_command(command: Command) -> Again:
    return lambda case, world: take(case, command, world).events


def _by_report(given: tuple[CaseEvent, ...]) -> Again:
    def again(case: Case, world: World) -> tuple[CaseEvent, ...]:
        draft = Draft(case, world)
        draft.add(*given)
        go_on(draft)
        return tuple(draft.events)

    return again


def meet(name: DeadlineName, due_at: datetime) -> Again:
    """The limit ends."""
    return _by_command(MeetDeadline(name, due_at))


def _command(before: Case, decision: Recorded) -> Command | None:
    source, _, rest = decision.command_id.partition(":")
    first = decision.events[0]
    if source == "deadline":
        name, _, due_at = rest.partition(":")
        return MeetDeadline(name, datetime.fromisoformat(due_at))  # type: ignore[arg-type]  # written from a DeadlineName
    if isinstance(first, e.ApplicationFiled):
        message = m.ApplicationSubmitted(application=first.application)
        return FileApplication(before.case_id, source, rest, message, first.at)
    said = _message(before, first)
    return None if said is None else TakeMessage(source, rest, said, first.at)


def _message(before: Case, first: CaseEvent) -> m.Answer | m.Report | None:
    match first:
        case e.EvidenceReceived():
            return m.EvidenceSubmission(documents=first.documents)
        case e.TravelAuthorizationExtended():
            return m.ExtensionRequest()
        case e.ParoleGranted():
            return m.ArrivalParoled(port=first.port)
        case e.SponsorConfirmed() if not first.by_officer:
            return m.SponsorConfirmedAnswer()
        case e.ReferredToOfficer() if first.basis is not None and before.request_to("sponsor_registry"):
            return m.SponsorConfirmedAnswer()
        case _:
            return _of_entry_records(first) if before.request_to("entry_records") else None


def _of_entry_records(first: CaseEvent) -> m.Answer | None:
    match first:
        case e.EntryVerified(by="records"):
            return m.EntryMatchedAnswer(entered_at=first.entered_at, place=first.place, manner=first.manner)
        case e.EntryRefused() if not first.by_officer:
            return m.EntryMatchedAnswer(entered_at=first.entered_at)
        case e.EntryVerified(by="document") | e.EvidenceRequested():
            return m.EntryNotFoundAnswer()
        case e.ReferredToOfficer() if first.basis is not None:
            by_document = any(result.because == "strong-document" for result in first.basis.results)
            return m.EntryNotFoundAnswer() if by_document else m.EntryMatchedAnswer(manner="irregular")
        case _:
            return None
