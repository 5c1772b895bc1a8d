"""What can go wrong when a partner is asked; `activities/failures.py` says which of it is final and which an alarm.

No text of these errors holds anything of the request or of the partner's answer: only the partner's name and a code.
They are raised outside of `except` blocks, so that no cause or context holds the HTTP request either.
"""

from domain.kernel.ids import Code
from eventstore.partner_calls import Paused


class PartnerError(Exception):
    """A partner did not take a request. Shown as `<partner>: <code>`.

    `retry_after_s`: how long the partner asked us to wait, if it did.
    """

    def __init__(self, partner: Code, code: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{partner}: {code}")
        self.partner = partner
        self.code = code
        self.retry_after_s = retry_after_s


class PartnerUnavailable(PartnerError):
    """Not reached, not answered in time, or failing (5xx): the same request may succeed later."""


class PartnerBusy(PartnerError):
    """The partner asked for a pause (429, or 503 with Retry-After): again, but not before `retry_after_s`."""


class PartnerRefused(PartnerError):
    """The partner will not take this request as it stands (4xx): a retry changes nothing, a person must look."""


class PartnerMalformed(PartnerError):
    """The answer is outside the agreement: not the schema, too long, a redirect. Again, and somebody must look."""


class PartnerUnproven(PartnerMalformed):
    """The answer is not signed by the partner. It is not believed; again, and somebody must look."""


class PartnerMisdirected(PartnerError):
    """The answer is about another request or another case than the one asked. Again, and somebody must look."""


class PartnerPaused(PartnerError):
    """Nothing was sent: the partner takes no calls, so that they pause. Again after `retry_after_s`."""

    def __init__(self, partner: Code, pause: Paused) -> None:
        super().__init__(partner, "paused", retry_after_s=pause.wait_s)
        self.pause = pause

    def no_sooner_than(self, retry_after_s: float) -> "PartnerPaused":
        """The same pause, but at least so long."""
        self.retry_after_s = max(self.pause.wait_s, retry_after_s)
        return self
