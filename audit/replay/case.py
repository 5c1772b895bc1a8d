"""`audit replay`: what happened in a case, how it stood at a moment, and why each decision fell. Pure.

Everything comes from the stored rows, the rule sets by their digest, and, where somebody with a reason asks, the key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from audit.replay.asked import Asked
from audit.replay.rules import LIMITS, PARAMETERS, picked, rule_set_of, values_of
from domain.case import Case
from domain.events import Basis, CaseEvent, RuleResult
from domain.evolve import fold
from domain.rules.rule_set import RuleBook
from eventstore.format.codec import CODEC
from eventstore.format.envelope import Envelope
from eventstore.format.wrapping import unwrap
from eventstore.keys import CaseKey
from eventstore.port import Stored

Personal = Literal["none", "shown", "withheld", "erased"]
"""Of an event: it has nothing personal; it is shown; nobody asked for it; or the key is destroyed."""
Until = int | datetime | None
"""A version, a moment of the case, or its end."""


class Fact(NamedTuple):
    """An event whose facts a rule used, and what of it the rule looks at."""

    event_id: str
    type: str
    happened_at: datetime
    says: dict[str, Any]


class RuleTried(NamedTuple):
    """One rule of one decision. `en`, `es` and `source` are None where the rule set is not at hand."""

    rule: str
    result: str
    because: str
    en: str | None
    es: str | None
    source: str | None
    parameters: dict[str, Any]
    facts: tuple[Fact, ...]
    cases: tuple[str, ...]


class Decision(NamedTuple):
    """What a decision rested on."""

    rules_version: str
    rules_digest: str
    rules_at_hand: bool
    programme_version: int
    decided_on: str
    earlier_supporter_cases: int | None
    rules: tuple[RuleTried, ...]


class Entry(NamedTuple):
    """One event of the timeline."""

    event_id: str
    version: int
    type: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    hash: str
    public: dict[str, Any]
    personal: Personal
    details: dict[str, Any]
    """What is personal, where it is shown."""
    limits: dict[str, Any]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Replay:
    """A case as it stood."""

    case_id: str
    version: int
    of_version: int
    """The last version that the log has; more than `version` where an earlier moment was asked for."""
    personal: Personal
    state: dict[str, Any]
    entries: tuple[Entry, ...]
    asked: tuple[Asked, ...] = ()
    """Who asked about the case, where that was read."""


def replay(
    rows: Sequence[Envelope], keys: Mapping[str, CaseKey | None], book: RuleBook, until: Until = None, *, asked: bool
) -> Replay:
    """Replay a case from its rows; `asked`: somebody asked for what is personal, and `keys` were looked for.

    Raises:
        ValueError: there are no rows, or nothing had happened yet at that moment.
    """
    events = unwrap([row for row in rows if _within(row, until)], keys).events
    if not events:
        raise ValueError("nothing had happened in the case by then" if rows else "no such case")
    case = fold(Case(events[0].stream), (cast("CaseEvent", stored.event) for stored in events))
    by_id = {stored.event_id: stored for stored in events}
    entries = tuple(_entry(stored, row, by_id, book, asked=asked) for stored, row in zip(events, rows, strict=False))
    return Replay(case.case_id, case.version, rows[-1].version, _personal(entries), _state(case), entries)


def _within(row: Envelope, until: Until) -> bool:
    if until is None:
        return True
    return row.version <= until if isinstance(until, int) else row.happened_at <= until


def _personal(entries: Sequence[Entry]) -> Personal:
    found = {entry.personal for entry in entries}
    return next((each for each in ("erased", "withheld", "shown") if each in found), "none")


def _entry(stored: Stored, row: Envelope, by_id: Mapping[str, Stored], book: RuleBook, *, asked: bool) -> Entry:
    event = cast("CaseEvent", stored.event)
    public = json.loads(row.public_body)
    basis: Basis | None = getattr(event, "basis", None)
    rules = None if row.rules_digest is None else rule_set_of(book, row.rules_digest)
    return Entry(
        event_id=stored.event_id,
        version=stored.version,
        type=stored.type,
        happened_at=stored.happened_at,
        recorded_at=stored.recorded_at,
        actor=stored.actor,
        command_id=stored.command_id,
        hash=stored.hash.hex(),
        public={name: value for name, value in public.items() if name != "basis"},
        personal=_of_event(row, stored, asked=asked),
        details=_details(stored),
        limits=values_of(rules, LIMITS[stored.type]) if rules is not None and stored.type in LIMITS else {},
        decision=None if basis is None else _decision(basis, by_id, book),
    )


def _of_event(row: Envelope, stored: Stored, *, asked: bool) -> Personal:
    if row.encrypted_body is None:
        return "none"
    if not stored.erased:
        return "shown"
    return "erased" if asked else "withheld"


def _details(stored: Stored) -> dict[str, Any]:
    if stored.erased:
        return {}
    _, personal = CODEC.encode(stored.event)
    return {} if personal is None else {name: v for name, v in json.loads(personal).items() if v not in (None, "", [])}


def _decision(basis: Basis, by_id: Mapping[str, Stored], book: RuleBook) -> Decision:
    rules = rule_set_of(book, basis.rules_digest)
    return Decision(
        rules_version=basis.rules_version,
        rules_digest=basis.rules_digest,
        rules_at_hand=rules is not None,
        programme_version=basis.programme_version,
        decided_on=basis.decided_on.isoformat(),
        earlier_supporter_cases=basis.earlier_supporter_cases,
        rules=tuple(_tried(result, basis.rules_digest, by_id, book) for result in basis.results),
    )


def _tried(result: RuleResult, digest: str, by_id: Mapping[str, Stored], book: RuleBook) -> RuleTried:
    rules = rule_set_of(book, digest)
    text = None if rules is None else rules.rules[result.rule]
    return RuleTried(
        rule=result.rule,
        result=result.result,
        because=result.because,
        en=None if text is None else text.en,
        es=None if text is None else text.es,
        source=None if text is None else text.source,
        parameters={} if rules is None else values_of(rules, PARAMETERS[result.rule]),
        facts=tuple(_fact(by_id[fact], result) for fact in result.facts if fact in by_id),
        cases=tuple(result.cases),
    )


def _fact(stored: Stored, result: RuleResult) -> Fact:
    says = {} if stored.erased else picked(stored.event.model_dump(mode="json"), result.rule)
    return Fact(stored.event_id, stored.type, stored.happened_at, says)


def _state(case: Case) -> dict[str, Any]:
    """What of the state is not personal."""
    return {
        "stage": case.stage,
        "waiting_on": case.waiting_on,
        "since": case.since,
        "outcome": case.outcome,
        "reason": case.reason,
        "programme": case.programme,
        "rules_version": case.rules_version,
        "filed_at": case.filed_at,
        "requests": [request.partner for request in case.requests],
        "referrals": [f"{referral.number}: {referral.question}" for referral in case.open_referrals],
        "waitlisted_at": case.waitlisted_at,
        "authorized_last_day": case.authorization.last_day if case.authorization else None,
        "paroled_last_day": case.parole.last_day if case.parole else None,
        "work_permit": case.work_permit,
        "held": case.held,
        "travel_held": case.travel_held,
        "flags": list(case.flags),
        "messages_rejected": case.rejected_count,
        "erased": case.erased,
    }


def as_json(found: Replay) -> dict[str, Any]:
    """For `--json`; moments and days are left to whoever writes it."""
    return {
        "case_id": found.case_id,
        "version": found.version,
        "of_version": found.of_version,
        "personal": found.personal,
        "state": found.state,
        "events": [_entry_as_json(entry) for entry in found.entries],
        "asked": [each._asdict() for each in found.asked],
    }


def _entry_as_json(entry: Entry) -> dict[str, Any]:
    decision = entry.decision
    if decision is None:
        return {**entry._asdict(), "decision": None}
    tried = [{**rule._asdict(), "facts": [fact._asdict() for fact in rule.facts]} for rule in decision.rules]
    return {**entry._asdict(), "decision": {**decision._asdict(), "rules": tried}}
