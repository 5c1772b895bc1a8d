"""Which messages a scenario may play on its timeline, the partners' own answers included."""

from typing import Final, Literal, get_args

from domain import registry
from domain.kernel.messages import GovernmentsMessage, Message, Submission


class BoardingCheck(Message):
    """A carrier's question, always answered and never recorded."""

    SENDERS = ("carrier",)
    message: Literal["travel.boarding_check"] = "travel.boarding_check"


def _named(classes: tuple[type[Message], ...]) -> dict[str, type[Message]]:
    return {str(each.model_fields["message"].default): each for each in classes}


PROGRAMME_KINDS: Final = _named(get_args(GovernmentsMessage))
TIMELINE_KINDS: Final = {
    **{
        name: found[0].kind
        for name, found in registry.signals().items()
        # An application has a section of its own, and what Passage says itself nobody else may.
        if not issubclass(found[0].kind, Submission) and found[0].kind.SENDERS != ("passage",)
    },
    **PROGRAMME_KINDS,
    **_named((BoardingCheck,)),
}
