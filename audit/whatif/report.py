"""Asks the whole log what other rules would have decided, case by case, and counts. It reads one snapshot only."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from audit.log.tables import Connection
from audit.replay.read import keys_of, read_stream
from audit.whatif.record import PrincipalOpen, ProgrammeStates, recorded
from audit.whatif.verdict import Divergence, Question, decide_again
from domain.events import ApplicationFiled
from domain.programme import Programme, ProgrammeEvent, evolve_programme
from eventstore.format.envelope import Envelope
from eventstore.format.wrapping import unwrap
from eventstore.keys import KeyStore
from eventstore.port import Stored

SAMPLE: Final = 20
"""Cases of the sample: the first that were filed."""
_IDS_AT_ONCE: Final = 1000


@dataclass(slots=True)
class Report:
    """Who would have been decided differently. Case ids and codes; nothing personal."""

    rules_version: str
    rules_digest: str
    cases: int = 0
    decided_again: int = 0
    not_reproduced: int = 0
    erased: int = 0
    """Cases whose facts are erased: nobody can decide them again."""
    diverged: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    by_change: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(rule, what was decided, what would be)."""
    decided_under: Counter[str] = field(default_factory=Counter)
    """Digests of the rule sets that cases were decided under, and how many cases each."""
    sample: list[Divergence] = field(default_factory=list)

    def take(self, divergence: Divergence) -> None:
        """Count one."""
        self.diverged += 1
        self.by_rule[divergence.rule] += 1
        self.by_change[divergence.rule, divergence.was, divergence.would_be] += 1
        if len(self.sample) < SAMPLE:
            self.sample.append(divergence)


async def report(
    log: Connection, keys: KeyStore, question: Question, progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Decide every case again, in the order of filing.

    Raises:
        KeyUnknown: this is not the log's key store.
    """
    found = Report(question.rules.version, question.rules.digest)
    programmes: dict[str, ProgrammeStates] = {}
    after = -1
    while ids := await log.fetch(
        "SELECT case_id, programme, filed_number FROM passage.case_head WHERE filed_number > $1 "
        "ORDER BY filed_number LIMIT $2",
        after,
        _IDS_AT_ONCE,
    ):
        after = ids[-1]["filed_number"]
        for case_id, programme, _ in ids:
            if programme not in programmes:
                programmes[programme] = programme_states(await read_stream(log, programme))
            await _case(log, keys, question, programmes[programme], case_id, found)
        progress(found.cases)
    return found


async def _case(
    log: Connection, keys: KeyStore, question: Question, programme: ProgrammeStates, case_id: str, found: Report
) -> None:
    rows = await read_stream(log, case_id)
    events = unwrap(rows, await keys_of(rows, keys)).events
    found.cases += 1
    found.decided_under.update({row.rules_digest for row in rows if row.rules_digest})
    if any(stored.erased for stored in events):
        found.erased += 1
        return
    principal_open = await _principal_open(log, events)
    verdict = decide_again(case_id, recorded(rows, events), question, programme, principal_open)
    found.decided_again += verdict.decided_again
    found.not_reproduced += verdict.not_reproduced
    if verdict.divergence is not None:
        found.take(verdict.divergence)


async def _principal_open(log: Connection, events: Sequence[Stored]) -> PrincipalOpen:
    filed = events[0].event
    if not isinstance(filed, ApplicationFiled) or filed.principal is None:
        return lambda _, __: False
    rows = await log.fetch(
        "SELECT type, recorded_at FROM passage.events WHERE stream = $1 ORDER BY version", filed.principal
    )

    def is_open(_: str, at: datetime) -> bool:
        happened = [row["type"] for row in rows if row["recorded_at"] <= at]
        return bool(happened) and "CaseClosed" not in happened

    return is_open


def programme_states(rows: Sequence[Envelope]) -> ProgrammeStates:
    """Every state that the programme had."""
    states = [Programme()]
    for stored in unwrap(rows, {}).events:
        states.append(evolve_programme(states[-1], cast("ProgrammeEvent", stored.event)))
    return ProgrammeStates(tuple(states), tuple(row.recorded_at for row in rows))


def as_json(found: Report) -> dict[str, Any]:
    """For `--json`."""
    changes = [
        {"rule": rule, "was": was, "would_be": would_be, "cases": cases}
        for (rule, was, would_be), cases in found.by_change.most_common()
    ]
    return {
        "rules_version": found.rules_version,
        "rules_digest": found.rules_digest,
        "decided_under": dict(found.decided_under.most_common()),
        "cases": found.cases,
        "decided_again": found.decided_again,
        "not_reproduced": found.not_reproduced,
        "erased": found.erased,
        "diverged": found.diverged,
        "by_rule": dict(found.by_rule.most_common()),
        "changes": changes,
        "sample": [divergence._asdict() for divergence in found.sample],
    }
