"""Asks the log what other rules of a programme would have decided, case by case, and counts, in one snapshot."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from audit.log.tables import Connection
from audit.programmes import ProgrammeHistory, read_programme
from audit.replay.read import keys_of, read_stream
from audit.whatif.record import recorded
from audit.whatif.verdict import Divergence, Question, decide_again
from eventstore.format.wrapping import unwrap
from eventstore.keys import KeyStore

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
    """Decide every case of the rule set's programme again, in the order of filing.

    Raises:
        KeyUnknown: this is not the log's key store.
    """
    found = Report(question.rules.version, question.rules.digest)
    programme = await read_programme(log, question.rules.programme)
    after = -1
    while ids := await log.fetch(
        "SELECT case_id, filed_number FROM passage.case_head WHERE programme = $1 AND filed_number > $2 "
        "ORDER BY filed_number LIMIT $3",
        question.rules.programme,
        after,
        _IDS_AT_ONCE,
    ):
        after = ids[-1]["filed_number"]
        for case_id, _ in ids:
            await _case(log, keys, question, programme, case_id, found)
        progress(found.cases)
    return found


async def _case(
    log: Connection, keys: KeyStore, question: Question, programme: ProgrammeHistory, case_id: str, found: Report
) -> None:
    rows = await read_stream(log, case_id)
    events = unwrap(rows, await keys_of(rows, keys)).events
    found.cases += 1
    found.decided_under.update({row.rules_digest for row in rows if row.rules_digest})
    if any(stored.erased for stored in events):
        found.erased += 1
        return
    verdict = decide_again(case_id, recorded(rows, events), question, programme)
    found.decided_again += verdict.decided_again
    found.not_reproduced += verdict.not_reproduced
    if verdict.divergence is not None:
        found.take(verdict.divergence)


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
