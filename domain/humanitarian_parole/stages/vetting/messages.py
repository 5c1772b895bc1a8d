"""What the vetting service is asked, and what it answers."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.humanitarian_parole.application import Beneficiary
from domain.kernel.events import Flag, Frozen
from domain.kernel.ids import Code
from domain.kernel.messages import Flags, PartnerAnswer, PartnerCheck

PARTNER = "vetting"
RULE = "vetting"
REMOVAL_ORDER = "removal-order"


class Finding(Frozen):
    """Something vetting found that a rule judges."""

    kind: Code
    dated: date


class VettingCheck(PartnerCheck):
    """Is anything known about this beneficiary?"""

    beneficiary: Beneficiary

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport.number


class VettingClearedAnswer(PartnerAnswer):
    """Vetting found nothing against the beneficiary but what `findings` name."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.cleared"] = "vetting.cleared"
    findings: Annotated[tuple[Finding, ...], Field(max_length=20)] = ()


class VettingReferredAnswer(PartnerAnswer):
    """Vetting asks that an officer looks."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.referred"] = "vetting.referred"
    flags: Flags = ()


class VettingHitAnswer(PartnerAnswer):
    """Somebody of that description is on a list: suspicion, which only an officer may weigh."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.hit"] = "vetting.hit"
    kind: Flag = "hit"
