"""The signals of workflow `Case`: one a kind of message, and a handler that only notes it (decision 4)."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue

from activities.contracts import DIRECT_MAX, CaseMessageName, DirectMessage, Notification
from activities.safe import Unreadable

PENDING_MAX: Final = 500
"""Direct messages kept until an activity takes them. A run takes at most 10,000 signals and an activity 20 messages in
about a second, so only a runaway sender gets here; what is dropped is counted and shown."""

_NOTIFICATION = ' Payload of one that is in the inbox already: {"message_id": "m-1"}.'

SIGNALS: Final[dict[CaseMessageName, tuple[str, dict[str, Any] | None]]] = {
    "application.submitted": ("A supporter files for a beneficiary.", None),
    "sponsor.confirmed": ("The registry confirms the supporter.", {}),
    "sponsor.not_confirmed": ("The registry does not confirm the supporter: closes.", {"why": "income-too-low"}),
    "sponsor.needs_review": ("The registry asks that an officer looks.", {"flags": ["income"]}),
    "sponsor.withdrew": ("The supporter steps back.", {}),
    "sponsor.replaced": ("The applicant names another supporter.", None),
    "entry.matched": ("Mexican records know the entry as it was declared.", {}),
    "entry.not_found": ("Mexican records do not know the entry.", {}),
    "entry.mismatch": ("Mexican records differ: an officer looks.", {"fields": ["entered_at"]}),
    "evidence.submitted": ("The applicant sends proof of entry.", None),
    "application.withdrawn": ("The applicant or the supporter withdraws: closes.", {"source": "supporter"}),
    "passport.changed": ("The applicant has another passport.", None),
    "vetting.cleared": ("Vetting found nothing against the beneficiary.", {}),
    "vetting.referred": ("Vetting asks that an officer looks.", {"flags": ["alias"]}),
    "vetting.hit": ("Somebody of that description is on a list: an officer looks.", {"kind": "name-match"}),
    "officer.decided": (
        "An officer decides the oldest open referral; a denial waits for a second officer.",
        {"officer": "o-1", "decision": "deny", "why": "name-match"},
    ),
    "officer.confirmed": ("A second officer confirms a denial: closes.", {"officer": "o-2"}),
    "border.irregular_crossing": (
        "The border reports an irregular crossing.",
        {"country": "PAN", "crossed_at": "2022-11-01T08:00:00-05:00"},
    ),
    "authorization.extension_requested": ("The supporter asks to extend the authorization.", {}),
    "arrival.paroled": ("The beneficiary arrived by air and is paroled.", {"port": "MIA", "until": "2024-11-19"}),
    "arrival.refused": ("The beneficiary was refused at the port: closes.", {"port": "MIA", "why": "documents"}),
    "work_permit.applied": ("The beneficiary applies for a work permit.", {}),
    "work_permit.eligible": ("The office finds the beneficiary eligible to work.", {}),
    "work_permit.ineligible": ("The office finds the beneficiary not eligible.", {"why": "category"}),
    "place.offered": ("A place is reserved for this case, head of the waiting list.", {}),
    "programme.changed": ("The programme, its rules or its places changed: the case looks again.", {}),
}
"""Every kind: what it says in the UI, and the fields of a direct signal beside `message_id` by way of example; None for
a kind whose content is personal, which can only name a message in the inbox."""


def description(kind: CaseMessageName) -> str:
    """What the Temporal UI shows beside a signal: its meaning and a payload to start from."""
    words, fields = SIGNALS[kind]
    if fields is None:
        return words + _NOTIFICATION
    return f"{words} Payload: {json.dumps({'message_id': 'ops-1', **fields})}"


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

    def note(self, kind: CaseMessageName, notification: Notification) -> None:
        """One signal. The same direct message again, while the first waits, is one message."""
        self.heard += 1
        if notification.number is not None:
            self._highest = max(self._highest, notification.number)
            self.last = kind
            return
        message = DirectMessage(message=kind, bell=notification)
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
    """Base of `Case`: carries the signal handlers that `SIGNALS` lists."""

    def __init__(self) -> None:
        self._signals = PendingSignals()

    @workflow.signal(dynamic=True)
    def _not_a_message(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Nobody waits for such a signal; counted and shown, so that whoever sent it sees that it did nothing."""
        del name, payloads
        self._signals.refuse()


def _handler(kind: CaseMessageName) -> Callable[..., None]:
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


for _kind in SIGNALS:
    setattr(MessageSignals, _kind.replace(".", "_"), _handler(_kind))
