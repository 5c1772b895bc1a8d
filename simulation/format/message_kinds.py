"""Which messages a scenario may play on its timeline, the partners' own answers included."""

from typing import Final, Literal, get_args

from domain.messages import CaseMessage, ProgrammeMessage

from domain.kernel.messages import Message


class BoardingCheck(Message):
    """A carrier's question, always answered and never recorded."""

    SENDERS = ("carrier",)
    message: Literal["travel.boarding_check"] = "travel.boarding_check"


def _named(classes: tuple[type[Message], ...]) -> dict[str, type[Message]]:
    return {str(each.model_fields["message"].default): each for each in classes}


_CASE: Final[tuple[type[Message], ...]] = get_args(get_args(CaseMessage)[0])
_PROGRAMME: Final[tuple[type[Message], ...]] = get_args(get_args(ProgrammeMessage)[0])
_NOT_ON_A_TIMELINE: Final = ("application.submitted",)
"""An application has a section of its own."""

PROGRAMME_KINDS: Final = _named(_PROGRAMME)
TIMELINE_KINDS: Final = {
    name: each
    for name, each in {**_named(_CASE), **PROGRAMME_KINDS, **_named((BoardingCheck,))}.items()
    if each.SENDERS != ("passage",) and name not in _NOT_ON_A_TIMELINE
}
