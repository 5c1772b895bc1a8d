"""What is said and what happens about travel authorizations: messages and events."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from domain.kernel.events import CaseEvent, FreeText, Personal
from domain.kernel.ids import Code
from domain.kernel.messages import Message

Port = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class ExtensionRequest(Message):
    """The supporter asks to extend the authorization."""

    SENDERS = ("supporter",)
    message: Literal["authorization.extension_requested"] = "authorization.extension_requested"


class ArrivalRefused(Message):
    """The beneficiary was refused at the port."""

    SENDERS = ("border",)
    message: Literal["arrival.refused"] = "arrival.refused"
    port: Port
    why: FreeText = ""


class Waitlisted(CaseEvent):
    """Ready, and no place free: first come by `at`."""

    turn_at: AwareDatetime | None = None
    """Its turn, where the case was opened again: the one that it had, or before all others if it was authorized."""


class TravelAuthorized(CaseEvent):
    """The beneficiary may travel, and has a place."""

    last_day: date
    """The last day of the authorization, America/New_York."""
    period: str
    """The calendar month, `YYYY-MM` in America/New_York, in which the place was taken."""


class TravelAuthorizationExtended(CaseEvent):
    """The authorization has a later last day."""

    last_day: date


class TravelAuthorizationHeld(CaseEvent):
    """Nobody boards until it is released."""

    because: Code
    """`passport`, or the rule that is in doubt."""


class TravelAuthorizationReleased(CaseEvent):
    """The hold is lifted."""


class TravelAuthorizationRestored(CaseEvent):
    """The case was opened again and has a place: the authorization stands for the days that it had left."""

    last_day: date
    period: str
    """As in `TravelAuthorized`."""


class TravelAuthorizationRevoked(CaseEvent):
    """The authorization was withdrawn."""

    reason: Code


class TravelAuthorizationExpired(CaseEvent):
    """The last day is over and nobody travelled."""

    last_day: date


class ParoleRefused(CaseEvent):
    """The port of entry refused parole."""

    port: Port
    why: Annotated[FreeText, Personal(erased="")] = ""
