"""What is asked about a supporter, what the registry answers, and what supporter and applicant say."""

from typing import Literal

from domain.humanitarian_parole.application import PersonReference, Supporter
from domain.kernel.events import FreeText
from domain.kernel.messages import Flags, Message, PartnerAnswer, PartnerCheck

PARTNER = "sponsor_registry"
RULE = "supporter"
DECEASED = "deceased"
"""Why the registry does not confirm a supporter who died: as if they had withdrawn."""


class SponsorCheck(PartnerCheck):
    """Is this supporter who they say, able to support, and do they support this beneficiary?"""

    supporter: Supporter
    beneficiary: PersonReference

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport_number


class SponsorConfirmedAnswer(PartnerAnswer):
    """The registry confirms the supporter."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.confirmed"] = "sponsor.confirmed"


class SponsorNotConfirmedAnswer(PartnerAnswer):
    """The registry does not confirm the supporter."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.not_confirmed"] = "sponsor.not_confirmed"
    why: FreeText = ""


class SponsorNeedsReviewAnswer(PartnerAnswer):
    """The registry asks that an officer looks."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.needs_review"] = "sponsor.needs_review"
    flags: Flags = ()


class SponsorWithdrewNotice(Message):
    """The supporter steps back."""

    SENDERS = ("supporter",)
    message: Literal["sponsor.withdrew"] = "sponsor.withdrew"


class SponsorReplacement(Message):
    """The applicant names another supporter."""

    SENDERS = ("applicant",)
    message: Literal["sponsor.replaced"] = "sponsor.replaced"
    supporter: Supporter
