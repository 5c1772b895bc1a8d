"""What a scenario says, after its bases are merged: one frozen model a section.

The models are strict: nothing is coerced and nothing unknown is taken. The loader feeds them with plain values.
"""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import AwareDatetime, Discriminator, Field, StringConstraints, Tag

from domain import registry
from domain.kernel.ids import Code, ProgrammeId, RulesVersion
from domain.kernel.messages import Retraction
from simulation.format.applications import AnyApplication, CaseName
from simulation.format.message_kinds import PROGRAMME_KINDS, TIMELINE_KINDS, BoardingCheck
from simulators.scripts import Saying, Section

MessageLabel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Count = Annotated[int, Field(ge=0)]
Places = Annotated[int, Field(ge=0, le=10**9)]
Answer = Literal["accepted", "rejected", "ok", "expired", "held", "revoked", "mismatch", "none"]

# mypy cannot see into a Literal or a Union that is closed over a registry; pydantic can, and the loader's tests do.
EventName: Any = Literal[tuple(event.__name__ for event in registry.case_events())]
StageName: Any = Literal[tuple(dict.fromkeys(name for each in registry.families() for name in each.stage_names))]
Outcome: Any = Literal[tuple(dict.fromkeys(code for each in registry.families() for code in each.outcomes))]
Reason: Any = Literal[tuple(dict.fromkeys(code for each in registry.families() for code in each.reasons))]
WaitedFor: Any = Literal[tuple(dict.fromkeys(name for each in registry.families() for name in each.wait_titles))]
TimelineKind: Any = Literal[tuple(TIMELINE_KINDS)]
TimelineMessage: Any = Annotated[reduce(or_, TIMELINE_KINDS.values()), Field(discriminator="message")] | None

T = TypeVar("T")


def _form(given: object) -> str:
    """`[each]` for a map by name, `[one]` for a single value. A section is a map too."""
    each = isinstance(given, Mapping) and given and not any(key in ExpectedProgramme.model_fields for key in given)
    return "[each]" if each else "[one]"


OneOrEach: TypeAlias = Annotated[
    Annotated[T, Tag("[one]")] | Annotated[dict[ProgrammeId, T], Tag("[each]")], Discriminator(_form)
]
"""One for the scenario's only programme, or a map by programme."""


class TimelineItem(Saying):
    """Something nobody asked for, at its moment. The message's own fields stand beside these keys in the file."""

    NAMED_BY = "message"
    KINDS = TIMELINE_KINDS

    at: AwareDatetime
    case: CaseName | None = None
    """Absent for the programme's own messages and present for all others."""
    programme: ProgrammeId | None = None
    """To which programme one of its messages speaks; the scenario's own where it is left out."""
    message: TimelineKind
    id: MessageLabel | None = None
    """A name of the message, by which another can say that it takes it back (`of`)."""
    sender: Annotated[Code | None, Field(alias="from")] = None
    """Who sends it, where it is not the usual one."""
    deliver: Annotated[int, Field(ge=1, le=100)] = 1
    """How many times the same message id is delivered."""
    expect_answer: Answer | None = None
    expect_code: Code | None = None
    """The reason of a `rejected`."""
    says: TimelineMessage = None
    """The message with its fields."""

    @property
    def is_question(self) -> bool:
        """Whether it is a boarding check, which is answered and never recorded."""
        return isinstance(self.says, BoardingCheck)

    @property
    def takes_back(self) -> str | None:
        """The name of the message that it takes back."""
        return self.says.of if isinstance(self.says, Retraction) else None

    @property
    def to_programme(self) -> bool:
        """Whether it speaks to the programme and to no case."""
        return self.message in PROGRAMME_KINDS


class ExpectedCase(Section):
    """Where a case must stand at `until`. A key that is not named is not checked; one that is null must be null."""

    stage: StageName | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    waiting_on: WaitedFor | None = None
    work_permit: Code | None = None
    authorized_until: AwareDatetime | None = None
    paroled_until: date | None = None
    events: tuple[EventName, ...] = ()
    """These, in this order; others may stand between."""
    never: tuple[EventName, ...] = ()
    counts: dict[EventName, Count] = Field(default_factory=dict)
    """Exactly so many of each."""


class ExpectedProgramme(Section):
    """Where a programme must stand at `until`."""

    places: Count | None = None
    authorized: Count | None = None
    """Places that its own cases have taken and not freed."""
    waiting: Count | None = None


class ExpectedPool(Section):
    """Where a pool of places must stand at `until`."""

    places: Count | None = None
    taken: Count | None = None
    """Taken and not freed, by all programmes that draw on it."""


class Scenario(Section):
    """One scenario, whole."""

    scenario: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\r\n]+$")]
    programme: ProgrammeId | None = None
    """Of whatever names none of its own; may be left out where nothing does."""
    rules: OneOrEach[RulesVersion]
    """The rule set in force at the start, of all programmes or by programme."""
    places: OneOrEach[Places] | None = None
    """The cap in this scenario, or a map of caps by programme or pool; the rule set's where it is not named."""
    until: AwareDatetime
    """The scenario stops here; what falls on this very moment does not run."""
    applications: Annotated[dict[CaseName, AnyApplication], Field(min_length=1, max_length=1000)]
    timeline: Annotated[tuple[TimelineItem, ...], Field(max_length=10_000)] = ()
    expect: dict[CaseName, ExpectedCase] = Field(default_factory=dict)
    expect_programme: OneOrEach[ExpectedProgramme] = ExpectedProgramme()
    """Of the only programme, or a map by programme."""
    expect_pools: dict[Code, ExpectedPool] = Field(default_factory=dict)

    def taken_back(self, item: TimelineItem) -> int | None:
        """The place on the timeline of the message that `item` takes back."""
        named = item.takes_back
        return None if named is None else next((i for i, each in enumerate(self.timeline) if each.id == named), None)

    def sender_of(self, item: TimelineItem) -> str:
        """Who sends a message of the timeline: of a retraction, who sent what it takes back."""
        named = self.taken_back(item)
        usual: str = item.says.SENDERS[0] if named is None else self.sender_of(self.timeline[named])
        return item.sender or usual
