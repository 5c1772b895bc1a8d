"""A programme as its stream tells it: every state that it had, and every rule set that was ever in force in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.log.tables import Connection
from audit.replay.read import read_stream
from domain.kernel.programme import Programme, ProgrammeEvent, evolve_programme
from domain.kernel.rule_set import RuleSet
from eventstore.format.codec import CODEC
from eventstore.format.envelope import Envelope


@dataclass(frozen=True, slots=True)
class ProgrammeHistory:
    """`states[n]` is the programme at version n, from 0, where it was not opened yet; one more than it has events."""

    states: tuple[Programme, ...]
    happened_at: tuple[datetime, ...]
    """When event n + 1 happened."""
    sets: Mapping[str, RuleSet]
    """Every rule set that was ever in force, by its digest."""

    @property
    def newest(self) -> Programme:
        """As it is now."""
        return self.states[-1]

    def since(self, version: int) -> tuple[Programme, ...]:
        """The states that somebody can have seen who had seen this version before; the newest first."""
        return self.states[version:][::-1]

    def at(self, moment: datetime, seen: int) -> Programme:
        """The programme at a moment; at least `seen`, the version that was known to somebody by then."""
        return self.states[max(seen, sum(at <= moment for at in self.happened_at))]


def history_of(rows: Iterable[Envelope]) -> ProgrammeHistory:
    """Fold a programme's stream.

    Raises:
        UnknownEvent: an event is of a newer program.
        TypeError: an event is none of a programme.
        ValueError: a body is malformed, or a rule set is not the one that its digest names.
    """
    states, happened_at = [Programme()], []
    for row in rows:
        event = CODEC.decode(row.type, row.schema_version, row.happened_at, row.public_body, None)
        if not isinstance(event, ProgrammeEvent):
            raise TypeError(f"{row.type} is no event of a programme")
        states.append(evolve_programme(states[-1], event))
        happened_at.append(row.happened_at)
        if getattr(event, "rules_digest", states[-1].rules.digest) != states[-1].rules.digest:
            raise ValueError(f"the rule set of event {row.version} has another digest")
    sets = {state.rules.digest: state.rules for state in states[1:]}
    return ProgrammeHistory(tuple(states), tuple(happened_at), sets)


async def read_programme(connection: Connection, programme: str) -> ProgrammeHistory:
    """The history of a programme as the log has it; raises as `history_of`."""
    return history_of(await read_stream(connection, programme))
