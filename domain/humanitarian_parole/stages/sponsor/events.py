"""What is recorded of a supporter, and what a case remembers of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from domain.humanitarian_parole.application import ERASED_SUPPORTER, Supporter
from domain.kernel.events import CaseEvent, FreeText, Personal
from domain.kernel.ids import EventId, MessageId


class SponsorConfirmationRequested(CaseEvent):
    """The registry was asked; the first time, with the rules that need only what was filed as its basis."""

    request_id: MessageId


class SponsorConfirmed(CaseEvent):
    """The supporter is confirmed, by the registry or by an officer."""

    by_officer: bool = False


class SponsorNotConfirmed(CaseEvent):
    """The supporter is not confirmed."""

    by_officer: bool = False
    why: Annotated[FreeText, Personal(erased="")] = ""


class SponsorWithdrew(CaseEvent):
    """A supporter stepped back or died; before parole the applicant has a limit to name another."""

    fact: EventId | None = None
    """The event that recorded the registry's word, where it is the registry's."""


class SponsorReplaced(CaseEvent):
    """Another supporter was named."""

    supporter: Annotated[Supporter, Personal(erased=ERASED_SUPPORTER)]


@dataclass(frozen=True)
class Sponsor:
    """Who stands behind the case, and whether the registry confirmed them."""

    admitted: bool = False
    """The rules that need only what was filed have passed."""
    confirmed: bool = False
    supporter: Supporter | None = None
    """None after the supporter withdrew, until another is named."""
    fact: EventId | None = None
    gone_at: datetime | None = None
    """When the supporter withdrew, while the applicant may name another."""
    lost: "Sponsor | None" = None
    """How it stood before, while nobody took the supporter's place."""
    lost_fact: EventId | None = None
    """The event that recorded the registry's word that the supporter is gone, where it is the registry's."""
