"""The stage of travel authorization: what others may use of it."""

from domain.humanitarian_parole.stages.travel.events import (
    ArrivalRefused,
    ExtensionRequest,
    ParoleRefused,
    Port,
    TravelAuthorizationExpired,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.travel.stage import (
    STAGE,
    closing,
    hold,
    require_travelling,
)
from domain.humanitarian_parole.stages.travel.state import (
    ALLOTMENT,
    Authorization,
    Travel,
    authorization_last_day,
    authorized_until,
    holds_place,
    running,
    waits_for_place,
)

__all__ = [
    "ALLOTMENT",
    "STAGE",
    "ArrivalRefused",
    "Authorization",
    "ExtensionRequest",
    "ParoleRefused",
    "Port",
    "Travel",
    "TravelAuthorizationExpired",
    "TravelAuthorizationExtended",
    "TravelAuthorizationHeld",
    "TravelAuthorizationReleased",
    "TravelAuthorizationRevoked",
    "TravelAuthorized",
    "Waitlisted",
    "authorization_last_day",
    "authorized_until",
    "closing",
    "hold",
    "holds_place",
    "require_travelling",
    "running",
    "waits_for_place",
]
