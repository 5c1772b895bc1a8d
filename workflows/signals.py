"""The signals of workflow `Case`: one a kind of message, and a handler that only notes it (decision 4)."""

import json
from collections.abc import Callable, Sequence
from typing import Final

from temporalio import workflow
from temporalio.common import RawValue

from activities.contracts import DIRECT_MAX, GATEWAY_ONLY, DirectMessage, Notification
from activities.safe import Unreadable
from domain import registry

PENDING_MAX: Final = 500
"""Direct messages kept until an activity takes them. A run takes at most 10,000 signals and an activity 20 messages in
about a second, so only a runaway sender gets here; what is dropped is counted and shown."""

_NOTIFICATION = ' Payload of one that is in the inbox already: {"message_id": "m-1"}.'


def description(kind: str) -> str:
    """What the Temporal UI shows beside a signal: its meaning and a payload to start from."""
    definitions = registry.signals()[kind]
    says = " / ".join(dict.fromkeys(each.says for each in definitions))
    example = definitions[0].example
    if example is None or kind in GATEWAY_ONLY:
        return says + _NOTIFICATION
    return f"{says} Payload: {json.dumps({'message_id': 'ops-1', **example})}, with signed_at and signatures."


class PendingSignals:
    """Signals that are not answered yet. Knows nothing of cases; holds only what an activity needs to be told."""

    def __init__(self) -> None:
        self.refused = 0
        """Signals that nobody could read, and direct ones beyond `PENDING_MAX`."""
        self.last: str | None = None
        """The kind of the newest signal, for the operator."""
        self.heard = 0
        """Counts every signal and update: a change means that somebody asks again."""
        self._highest = 0
        self._direct: dict[DirectMessage, None] = {}

    def note(self, kind: str, notification: Notification) -> None:
        """One signal. The same direct message again, while the first waits, is one message."""
        self.heard += 1
        if notification.number is not None:
            self._highest = max(self._highest, notification.number)
            self.last = kind
            return
        message = DirectMessage(message=kind, notification=notification)
        if message not in self._direct and len(self._direct) >= PENDING_MAX:
            self.refuse()
            return
        self._direct.setdefault(message)
        self.last = kind

    def refuse(self) -> None:
        """A signal that cannot be taken: counted and shown, and nothing follows."""
        self.refused += 1

    def expect(self, number: int) -> None:
        """Somebody waits for the answer of message `number`, which is in the inbox."""
        self.heard += 1
        self._highest = max(self._highest, number)

    def waiting(self, taken: int) -> bool:
        """Whether a signal came that an activity has not been asked about; `taken` is the highest number decided."""
        return bool(self._direct) or self._highest > taken

    def hand_over(self) -> tuple[DirectMessage, ...]:
        """The oldest direct messages, for the activity that is about to start; it takes every numbered one anyway."""
        self._highest = 0
        return tuple(self._direct)[:DIRECT_MAX]

    def handed_over(self, direct: tuple[DirectMessage, ...]) -> None:
        """The activity wrote `direct` to the inbox."""
        for message in direct:
            del self._direct[message]


class MessageSignals:
    """Base of `Case`: carries the handler of each signal that a family declares."""

    def __init__(self) -> None:
        self._signals = PendingSignals()

    @workflow.signal(dynamic=True)
    def _not_a_message(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Nobody waits for such a signal; counted and shown, so that whoever sent it sees that it did nothing."""
        del name, payloads
        self._signals.refuse()


def _handler(kind: str) -> Callable[..., None]:
    class OneSignal(MessageSignals):
        # In a class only because the SDK drops the payload's type when `self` carries an annotation.
        def note(self, notification: Notification | Unreadable | None = None) -> None:
            if isinstance(notification, Notification):
                self._signals.note(kind, notification)
            else:
                self._signals.refuse()

    OneSignal.note.__qualname__ = f"MessageSignals.{kind}"
    handler: Callable[..., None] = workflow.signal(name=kind, description=description(kind))(OneSignal.note)
    return handler


for _kind in registry.signals():
    setattr(MessageSignals, _kind.replace(".", "_"), _handler(_kind))
