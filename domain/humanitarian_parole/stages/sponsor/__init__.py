"""Sponsor confirmation: the registry's answers, a supporter who withdraws, and one who takes their place."""

from domain.humanitarian_parole.stages.sponsor.decisions import (
    admit,
    approved_by_officer,
    check_of,
    denied_by_officers,
    running,
    supporter,
    supporter_flags,
)
from domain.humanitarian_parole.stages.sponsor.events import (
    Sponsor,
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorReplaced,
    SponsorWithdrew,
)
from domain.humanitarian_parole.stages.sponsor.messages import (
    PARTNER,
    RULE,
    SponsorConfirmedAnswer,
    SponsorNeedsReviewAnswer,
    SponsorNotConfirmedAnswer,
    SponsorReplacement,
    SponsorWithdrewNotice,
)
from domain.humanitarian_parole.stages.sponsor.stage import STAGE

__all__ = [
    "PARTNER",
    "RULE",
    "STAGE",
    "Sponsor",
    "SponsorConfirmationRequested",
    "SponsorConfirmed",
    "SponsorConfirmedAnswer",
    "SponsorNeedsReviewAnswer",
    "SponsorNotConfirmed",
    "SponsorNotConfirmedAnswer",
    "SponsorReplaced",
    "SponsorReplacement",
    "SponsorWithdrew",
    "SponsorWithdrewNotice",
    "admit",
    "approved_by_officer",
    "check_of",
    "denied_by_officers",
    "running",
    "supporter",
    "supporter_flags",
]
