"""What a story is: who files, how the partners answer, what else happens and when, and how it must end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from cases.inbound.wire import PartnerName
from domain.humanitarian_parole.application import Application
from domain.kernel.ids import Code
from simulators.scripts import AGREEABLE, PartnerScripts

Standing = Code | Literal["not begun", "under way", "closed", "done"]
"""Where a case stands: whom it waits on, or that it is closed; an act of the governments is `done` or not begun."""

AT_ONCE = timedelta(0)

Fields = Callable[[datetime], Mapping[str, Any]]
"""A message's own fields, given the domain's moment at which it is sent."""


def no_fields(_: datetime) -> Mapping[str, Any]:
    """A message that says it all by its name."""
    return {}


ActFields = Callable[[datetime, int], Mapping[str, Any]]
"""A message's own fields, given the domain's moment and how many places are taken."""


def no_act_fields(_now: datetime, _taken: int) -> Mapping[str, Any]:
    """As `no_fields`."""
    return {}


@dataclass(frozen=True, slots=True)
class Gate:
    """Opens once all of these stories and acts stand so."""

    names: tuple[str, ...]
    standing: frozenset[Standing]


def gate(name: str, *standing: Standing) -> Gate:
    """Opens once the story or act stands in one of these ways."""
    return Gate((name,), frozenset(standing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something that happens to a case and that it did not ask a partner for."""

    by: PartnerName
    message: str
    """A kind of message, or `travel.boarding_check`."""
    once: Standing
    """Made when the case stands so, which it must do until then, or else close: a closed case has missed it."""
    after: timedelta = AT_ONCE
    """Domain time since it stands so."""
    gates: tuple[Gate, ...] = ()
    fields: Fields = no_fields
    answer: str = "accepted"
    """What must be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One case, from its filing to its end."""

    name: str
    """Short, in words; also how other stories refer to it."""
    person: int
    application: Callable[[int], Application]
    outcome: Code
    reason: Code | None = None
    partners: PartnerScripts = AGREEABLE
    moves: tuple[Move, ...] = ()
    gates: tuple[Gate, ...] = ()
    """Before it is filed."""
    travels_with: str | None = None
    """The story of the principal."""
    events: tuple[str, ...] = ()
    """These, in this order; others may stand between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that the governments tell the programme, one after the other."""

    name: str
    message: str
    gates: tuple[Gate, ...]
    after: timedelta = AT_ONCE
    """Domain time since the gates opened."""
    fields: ActFields = no_act_fields


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that is told in one demonstration."""

    stories: tuple[Story, ...]
    acts: tuple[Act, ...]
