"""A case as it was decided: its events by the command they followed from, that command, and the world it met. Pure.

All of it stands in the log: the basis of a decision keeps the kind of message and what was known beyond the case, the
header when the message was received; the family makes the message again from what followed from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from audit.programmes import ProgrammeHistory
from domain.kernel.case import Case
from domain.kernel.definition import Events
from domain.kernel.events import Basis, CaseEvent
from domain.kernel.family import Family
from domain.kernel.messages import Command, FileApplication, MeetDeadline, TakeMessage
from domain.kernel.proof import Proof
from domain.kernel.rule_set import RuleSet
from eventstore.format.envelope import Envelope
from eventstore.port import Stored


@dataclass(frozen=True, slots=True)
class Recorded:
    """What followed from one command."""

    command_id: str
    first_version: int
    rules_digest: str | None
    received_at: datetime | None
    """When the message, or what was filed, was received; None where a limit ended."""
    proof: Proof
    events: Events

    @property
    def basis(self) -> Basis | None:
        """What the decision rested on; None of a refusal and of an erasure, which nothing decided."""
        return next((event.basis for event in self.events if event.basis is not None), None)


def recorded(rows: Sequence[Envelope], events: Sequence[Stored]) -> tuple[Recorded, ...]:
    """The commands of a case, in order."""
    pairs = zip(rows, events, strict=True)
    return tuple(_one(command_id, list(group)) for command_id, group in groupby(pairs, key=lambda p: p[0].command_id))


def _one(command_id: str, group: list[tuple[Envelope, Stored]]) -> Recorded:
    row = group[0][0]
    events = tuple(cast("CaseEvent", stored.event) for _, stored in group)
    return Recorded(command_id, row.version, row.rules_digest, row.received_at, Proof.parse(row.proof), events)


def command_of(family: Family, before: Case, decision: Recorded, basis: Basis) -> Command:
    """The command, made again.

    Raises:
        LookupError, ValueError: the family says of what followed that it cannot have followed.
    """
    source, _, rest = decision.command_id.partition(":")
    if decision.received_at is None:
        name, _, due_at = rest.partition(":")
        return MeetDeadline(name, datetime.fromisoformat(due_at))
    if basis.message is None:
        return FileApplication(
            before.case_id, source, rest, family.filed(decision.events), decision.received_at, decision.proof
        )
    message = family.said(basis.message, decision.events)
    return TakeMessage(source, rest, message, decision.received_at, decision.proof)


def came_at(command: Command) -> datetime:
    """When it took effect: as of then its limits had ended or not."""
    return command.due_at if isinstance(command, MeetDeadline) else command.received_at


def world_of(family: Family, basis: Basis, programme: ProgrammeHistory, rules: RuleSet) -> Any:
    """The world of the decision, under these rules. Raises `LookupError` for a version the programme never had."""
    return family.world(
        now=basis.decided_at,
        rules=rules,
        programme=programme.states[basis.programme_version],
        **family.remembered(basis.known),
    )
