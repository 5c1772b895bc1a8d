"""Security vetting: cleared, or looked at by an officer; no hit denies by itself."""

from domain.humanitarian_parole.stages.vetting.decisions import (
    check_of,
    judge_findings,
    removal_order,
    vet_again,
    vetting,
)
from domain.humanitarian_parole.stages.vetting.events import (
    SecurityVetting,
    VettingCleared,
    VettingDenied,
    VettingRequested,
)
from domain.humanitarian_parole.stages.vetting.messages import (
    PARTNER,
    RULE,
    Finding,
    VettingCheck,
    VettingClearedAnswer,
    VettingHitAnswer,
    VettingReferredAnswer,
)
from domain.humanitarian_parole.stages.vetting.stage import STAGE

__all__ = [
    "PARTNER",
    "RULE",
    "STAGE",
    "Finding",
    "SecurityVetting",
    "VettingCheck",
    "VettingCleared",
    "VettingClearedAnswer",
    "VettingDenied",
    "VettingHitAnswer",
    "VettingReferredAnswer",
    "VettingRequested",
    "check_of",
    "judge_findings",
    "removal_order",
    "vet_again",
    "vetting",
]
