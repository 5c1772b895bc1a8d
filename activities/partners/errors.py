"""What can go wrong when a partner is asked, classified: try again, or refer to a person.

No text of these errors holds anything of the request or of the partner's answer: only the partner's name and a code.
They are raised outside of `except` blocks, so that no cause or context holds the HTTP request either.
"""

from typing import ClassVar

from domain.vocabulary import Partner


class PartnerError(Exception):
    """A partner did not take a request. Shown as `<partner>: <code>`.

    `retryable`: the same request, under the same key, may succeed later. `alarm`: somebody must look at the partner
    or at the agreement with it, whatever a retry brings. `retry_after_s`: how long the partner asked us to wait.
    """

    retryable: ClassVar[bool] = True
    alarm: ClassVar[bool] = False

    def __init__(self, partner: Partner, code: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{partner}: {code}")
        self.partner = partner
        self.code = code
        self.retry_after_s = retry_after_s


class PartnerUnavailable(PartnerError):
    """Not reached, not answered in time, or failing (5xx): try again by the caller's own policy."""


class PartnerBusy(PartnerError):
    """The partner asked for a pause (429, or 503 with Retry-After): try again, not before `retry_after_s`."""


class PartnerRefused(PartnerError):
    """The partner will not take this request as it stands (4xx): a retry changes nothing, refer it to a person."""

    retryable = False
    alarm = True


class PartnerMalformed(PartnerError):
    """The answer is outside the agreement: not the schema, too long, a redirect. Try again, and raise an alarm."""

    alarm = True


class PartnerMisdirected(PartnerError):
    """The answer is about another request or another case than the one asked. Try again, and raise an alarm."""

    alarm = True
