"""What is recorded of vetting, and what a case remembers of it."""

from dataclasses import dataclass
from typing import Annotated

from domain.humanitarian_parole.stages.vetting.messages import Finding
from domain.kernel.events import CaseEvent, Personal
from domain.kernel.ids import EventId, MessageId


class VettingRequested(CaseEvent):
    """The vetting service was asked."""

    request_id: MessageId


class VettingCleared(CaseEvent):
    """Cleared, by the service or by an officer."""

    by_officer: bool = False
    findings: Annotated[tuple[Finding, ...], Personal(erased=())] = ()


class VettingDenied(CaseEvent):
    """Two officers denied."""

    number: int


@dataclass(frozen=True)
class SecurityVetting:
    """How far vetting has come, and what it found."""

    cleared: bool = False
    asked: bool = False
    again: bool = False
    """A passport changed after authorization, and vetting was not yet asked about the new one."""
    findings: tuple[Finding, ...] = ()
    fact: EventId | None = None
