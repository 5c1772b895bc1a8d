"""The activities of a case without a database: an inbox and a log in memory, which move a case as the rules would.

Enough of the rules to walk a case along each path; what the rules say is tested in the domain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.contracts import (
    ADVANCE,
    CALL_PARTNER,
    OPEN_CASE,
    Advance,
    Call,
    CallPartner,
    DirectMessage,
    Due,
    Reply,
    Step,
)
from activities.failures import LogRestored

WHERE: dict[str, tuple[str, str | None, str | None, int]] = {
    "application.submitted": ("sponsor_confirmation", "sponsor", None, 0),
    "sponsor.confirmed": ("proof_of_entry", "entry_records", None, 0),
    "entry.matched": ("security_vetting", "vetting", None, 0),
    "entry.not_found": ("proof_of_entry", "applicant", "evidence", 30),
    "evidence.submitted": ("security_vetting", "vetting", None, 0),
    "vetting.hit": ("security_vetting", "officer", "referral", 15),
    "officer.decided": ("security_vetting", "officer", "referral", 15),
    "vetting.cleared": ("travel_authorization", "arrival", "authorization", 90),
    "arrival.paroled": ("work_permit_eligibility", "parole_end", "parole-notice", 640),
    "work_permit.applied": ("work_permit_eligibility", "work_permit_office", "parole-notice", 640),
    "work_permit.eligible": ("work_permit_eligibility", "parole_end", "parole-notice", 640),
    "parole-notice": ("work_permit_eligibility", "parole_end", "parole-end", 90),
}
"""Where a message, or a deadline, leaves a case: stage, whom it waits for, the next limit and its days."""

FILED_AT = datetime(2022, 10, 20, 14, tzinfo=UTC)

CLOSES = {
    "officer.confirmed": ("denied", "vetting"),
    "application.withdrawn": ("withdrawn", "applicant-withdrew"),
    "evidence": ("ineligible", "evidence-deadline"),
    "authorization": ("expired", "authorization-expired"),
    "parole-end": ("completed", None),
}


@dataclass
class FakeCase:
    """One case: its inbox, and the head of its log."""

    inbox: list[tuple[str, str]] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)
    version: int = 0
    stage: str = "sponsor_confirmation"
    waiting_on: str | None = "sponsor"
    since: datetime = FILED_AT
    due: Due | None = None
    calls: tuple[Call, ...] = ()
    outcome: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()


class FakeProgramme:
    """Cases, and the activities over them. `asked` lists every activity call; the hooks let a test interfere."""

    def __init__(self) -> None:
        self.cases: dict[str, FakeCase] = {}
        self.asked: list[tuple[str, Advance]] = []
        self.direct: list[DirectMessage] = []
        self.called: list[CallPartner] = []
        self.before: Callable[[Advance], Any] = lambda _: None
        self.on_call: Callable[[CallPartner], Any] = lambda _: None
        self.reach_deadlines = True
        self.closes = dict(CLOSES)
        self.knows_seen_version = True
        self.instead: Any = None
        self.at_once = 100

    def receive(self, case_id: str, kind: str, message_id: str) -> int:
        """The number of a message in the case's inbox; the same message keeps its number."""
        inbox = self.cases.setdefault(case_id, FakeCase()).inbox
        if (kind, message_id) not in inbox:
            inbox.append((kind, message_id))
        return inbox.index((kind, message_id)) + 1

    def activities(self) -> Sequence[Callable[..., Any]]:
        """What a worker of the case's task queue registers."""
        return [self._named(name) for name in sorted({OPEN_CASE, *ADVANCE.values()})]

    def calls(self) -> Sequence[Callable[..., Any]]:
        """What a worker of the calls' task queue registers."""

        @activity.defn(name=CALL_PARTNER)
        async def call_partner(call: CallPartner) -> None:
            self.called.append(call)
            self.on_call(call)

        return [call_partner]

    def _named(self, name: str) -> Callable[..., Any]:
        @activity.defn(name=name)
        async def advance(what: Advance) -> Step:
            self.asked.append((name, what))
            self.before(what)
            step: Step = self.instead or self._advance(what)
            return step

        return advance

    def _advance(self, what: Advance) -> Step:
        case = self.cases.setdefault(what.case_id, FakeCase())
        if self.knows_seen_version and case.version < what.seen_version:
            raise LogRestored
        for message in what.direct:
            self.direct.append(message)
            self.receive(what.case_id, message.message, message.notification.message_id)
        first = len(case.answers)
        for number, (kind, _) in list(enumerate(case.inbox, start=1))[first : first + self.at_once]:
            self._take(case, number, kind)
        now = activity.info().started_time
        if case.due and case.due.wake_at <= now and self.reach_deadlines:
            self._move(case, case.due.name)
        return _step(case, first)

    def _take(self, case: FakeCase, number: int, kind: str) -> None:
        taken = case.stage != "closed" and (kind in WHERE or kind in self.closes)
        if taken:
            self._move(case, kind)
        code = None if taken else "not-now"
        case.answers.append(Reply(number=number, answer="accepted" if taken else "rejected", code=code))

    def _move(self, case: FakeCase, what: str) -> None:
        case.version += 2
        if what in self.closes:
            case.stage, case.waiting_on, case.due, case.calls = "closed", None, None, ()
            case.outcome, case.reason = self.closes[what]
            return
        case.stage, case.waiting_on, limit, days = WHERE[what]
        if limit is None or case.due is None or limit != case.due.name:
            now = activity.info().started_time
            at = now + timedelta(days=days)
            case.due = Due.model_validate({"name": limit, "at": at, "wake_at": at}) if limit else None


def _step(case: FakeCase, first: int) -> Step:
    return Step.model_validate(
        {
            "version": case.version,
            "stage": case.stage,
            "waiting_on": case.waiting_on,
            "since": case.since,
            "due": case.due,
            "calls": case.calls,
            "taken": len(case.answers),
            "answers": tuple(case.answers[first:]),
            "closed": case.stage == "closed",
            "outcome": case.outcome,
            "reason": case.reason,
            "flags": case.flags,
            "programme": "venezuela-air",
            "rules_version": "2022-10-19",
            "more": len(case.answers) < len(case.inbox),
        }
    )
