"""`audit replay`: what happened in a case, how it stood at a moment, and why each decision fell. Pure.

Everything comes from the stored rows, the case's and its programme's, which hold the rule sets; and, where somebody
with a reason asks, from the key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from audit.programmes import ProgrammeHistory
from audit.replay.asked import Asked
from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import fold
from domain.kernel.events import Basis, CaseEvent, RuleResult
from domain.kernel.family import Family
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet
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
    """One rule of one decision, with its words and its source as the rule set has them."""

    rule: str
    result: str
    because: str
    en: str
    es: str
    source: str
    parameters: dict[str, Any]
    facts: tuple[Fact, ...]
    cases: tuple[str, ...]


class Decision(NamedTuple):
    """What a decision rested on."""

    rules_version: str
    rules_digest: str
    programme_version: int
    decided_on: str
    known: dict[str, Any]
    """What else was known beyond the case, in the words of its family."""
    rules: tuple[RuleTried, ...]


class Entry(NamedTuple):
    """One event of the timeline."""

    event_id: str
    version: int
    type: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    proof: str
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
    rows: Sequence[Envelope],
    keys: Mapping[str, CaseKey | None],
    programme: ProgrammeHistory,
    until: Until = None,
    *,
    asked: bool,
) -> Replay:
    """Replay a case from its rows; `asked`: somebody asked for what is personal, and `keys` were looked for.

    Raises:
        ValueError: there are no rows, or nothing had happened yet at that moment.
        KeyError: a rule set was never in force in this programme: verify the log.
    """
    events = unwrap([row for row in rows if _within(row, until)], keys).events
    if not events:
        raise ValueError("nothing had happened in the case by then" if rows else "no such case")
    family = registry.family_of(events[0].stream)
    case = fold(family, Case(events[0].stream), (cast("CaseEvent", stored.event) for stored in events))
    reading = _Reading(family, programme, {stored.event_id: stored for stored in events}, asked)
    entries = tuple(reading.entry(stored, row) for stored, row in zip(events, rows, strict=False))
    state = _state(family, case, programme.newest if until is None else _programme_then(entries, programme, until))
    return Replay(case.case_id, case.version, rows[-1].version, _personal(entries), state, entries)


def _within(row: Envelope, until: Until) -> bool:
    if until is None:
        return True
    return row.version <= until if isinstance(until, int) else row.happened_at <= until


def _personal(entries: Sequence[Entry]) -> Personal:
    found = {entry.personal for entry in entries}
    return next((each for each in ("erased", "withheld", "shown") if each in found), "none")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the events of one case are told by."""

    family: Family
    programme: ProgrammeHistory
    by_id: Mapping[str, Stored]
    asked: bool

    def entry(self, stored: Stored, row: Envelope) -> Entry:
        """One event."""
        event = cast("CaseEvent", stored.event)
        public = json.loads(row.public_body)
        return Entry(
            event_id=stored.event_id,
            version=stored.version,
            type=stored.type,
            happened_at=stored.happened_at,
            recorded_at=stored.recorded_at,
            actor=stored.actor,
            proof=stored.proof,
            command_id=stored.command_id,
            hash=stored.hash.hex(),
            public={name: value for name, value in public.items() if name != "basis"},
            personal=_of_event(row, stored, asked=self.asked),
            details=_details(stored),
            limits={} if row.rules_digest is None else self._limits(stored.type, self.programme.sets[row.rules_digest]),
            decision=None if event.basis is None else self._decision(event.basis),
        )

    def _limits(self, event: str, rules: RuleSet) -> dict[str, Any]:
        return {name: rules.days(name) for name in self.family.events[event].lengths}

    def _decision(self, basis: Basis) -> Decision:
        rules = self.programme.sets[basis.rules_digest]
        return Decision(
            rules_version=basis.rules_version,
            rules_digest=basis.rules_digest,
            programme_version=basis.programme_version,
            decided_on=basis.decided_on.isoformat(),
            known=dict(basis.known),
            rules=tuple(self._tried(result, rules) for result in basis.results),
        )

    def _tried(self, result: RuleResult, rules: RuleSet) -> RuleTried:
        text = rules.rules[result.rule]
        return RuleTried(
            rule=result.rule,
            result=result.result,
            because=result.because,
            en=text.en,
            es=text.es,
            source=text.source,
            parameters=text.parameters,
            facts=tuple(self._fact(self.by_id[fact], result.rule) for fact in result.facts if fact in self.by_id),
            cases=tuple(result.cases),
        )

    def _fact(self, stored: Stored, rule: str) -> Fact:
        says = {} if stored.erased else _picked(stored.event.model_dump(mode="json"), self.family.rules[rule].facts)
        return Fact(stored.event_id, stored.type, stored.happened_at, says)


def _picked(event: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Of an event as JSON: what stands at these paths, where something does."""
    found: dict[str, Any] = {}
    for path in paths:
        value: Any = event
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and value not in ([], ""):
            found[path] = value
    return found


def _programme_then(entries: Sequence[Entry], programme: ProgrammeHistory, until: int | datetime) -> Programme:
    seen = max((entry.decision.programme_version for entry in entries if entry.decision), default=0)
    return programme.at(entries[-1].happened_at if isinstance(until, int) else until, seen)


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


def _state(family: Family, case: Case, programme: Programme) -> dict[str, Any]:
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
        **family.facts(case, programme, programme.rules_for(case.rules_version, case.filed_at)),
        "held": case.held,
        "on_hold": family.on_hold(case),
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
