"""Proof of entry: whether it is needed, what Mexican records and documents show, and its limit.

A day is the local calendar day of the crossing, as written with its offset.
"""

from domain.humanitarian_parole.stages.entry.decisions import (
    approved_by_officer,
    check_of,
    denied_by_officers,
    judge_evidence,
    running,
)
from domain.humanitarian_parole.stages.entry.events import (
    EntryCheckRequested,
    EntryProofNotRequired,
    EntryRefused,
    EntryVerified,
    EvidenceDeadlinePassed,
    EvidenceReceived,
    EvidenceRequested,
    ProofOfEntry,
)
from domain.humanitarian_parole.stages.entry.messages import (
    PARTNER,
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.entry.stage import STAGE

__all__ = [
    "PARTNER",
    "STAGE",
    "EntryCheckRequested",
    "EntryMatchedAnswer",
    "EntryMismatchAnswer",
    "EntryNotFoundAnswer",
    "EntryProofNotRequired",
    "EntryRefused",
    "EntryVerified",
    "EvidenceDeadlinePassed",
    "EvidenceReceived",
    "EvidenceRequested",
    "EvidenceSubmission",
    "ProofOfEntry",
    "approved_by_officer",
    "check_of",
    "denied_by_officers",
    "judge_evidence",
    "running",
]
