"""A programme as its stream tells it: every state that it had, and every rule set that was ever in force in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.log.tables import Connection
from audit.replay.read import read_stream
from domain.kernel.programme import Programme, ProgrammeEvent, ProgrammeOpened, RulesAdopted, evolve_programme
from domain.kernel.rule_set import RuleSet
from eventstore.format.codec import CODEC, Event


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


def history_of(events: Iterable[Event]) -> ProgrammeHistory:
    """Fold a programme's events.

    Raises:
        TypeError: an event is none of a programme.
        ValueError: a rule set is malformed, or is not the one that its digest names.
    """
    states, happened_at = [Programme()], []
    for event in events:
        if not isinstance(event, ProgrammeEvent):
            raise TypeError(f"{type(event).__name__} is no event of a programme")
        states.append(evolve_programme(states[-1], event))
        happened_at.append(event.at)
        named = event.rules_digest if isinstance(event, ProgrammeOpened | RulesAdopted) else None
        if named not in (None, states[-1].rules.digest):
            raise ValueError(f"the rule set of event {len(happened_at)} has another digest")
    sets = {state.rules.digest: state.rules for state in states[1:]}
    return ProgrammeHistory(tuple(states), tuple(happened_at), sets)


async def read_programme(connection: Connection, programme: str) -> ProgrammeHistory:
    """The history of a programme as the log has it. Raises as `history_of`, and as `Codec.decode`."""
    return history_of(
        CODEC.decode(row.type, row.schema_version, row.happened_at, row.public_body, None)
        for row in await read_stream(connection, programme)
    )
