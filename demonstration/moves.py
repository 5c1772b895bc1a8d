"""What people and authorities do in the stories, each with the moment at which it is natural."""

from datetime import date, datetime, timedelta
from typing import Any

from cases.inbound.wire import PartnerName
from demonstration.people import passport, supporter
from demonstration.story import Gate, Move, Standing


def days(number: float) -> timedelta:
    """So many days of 24 hours."""
    return timedelta(days=number)


def boards(answer: str, once: Standing = "arrival", after_days: float = 0) -> Move:
    """The carrier asks whether the person may board."""
    return Move(by="carrier", message="travel.boarding_check", once=once, after=days(after_days), answer=answer)


def arrives(after_days: float = 20, *, paroled_for_days: int | None = None, port: str = "MIA") -> Move:
    """The border paroles the person, for two years or for as long as it says."""

    def fields(now: datetime) -> dict[str, Any]:
        until = {} if paroled_for_days is None else {"until": (now + days(paroled_for_days)).date().isoformat()}
        return {"port": port, "by": "air", **until}

    return Move(by="border", message="arrival.paroled", once="arrival", after=days(after_days), fields=fields)


def is_turned_away(after_days: float = 15) -> Move:
    """The border refuses parole."""
    return Move(
        by="border",
        message="arrival.refused",
        once="arrival",
        after=days(after_days),
        fields=lambda _: {"port": "MIA", "why": "statements did not agree"},
    )


def applies_for_work(after_days: float = 10) -> Move:
    """The person applies for a work permit."""
    return Move(by="applicant", message="work_permit.applied", once="parole_end", after=days(after_days))


def withdraws(
    by: PartnerName = "applicant", once: Standing = "vetting", after_days: float = 5, gates: tuple[Gate, ...] = ()
) -> Move:
    """Nobody has to go on."""
    return Move(by=by, message="application.withdrawn", once=once, after=days(after_days), gates=gates)


def decides(officer: str, decision: str, after_days: float = 3) -> Move:
    """An officer answers the referral."""
    return Move(
        by="officer",
        message="officer.decided",
        once="officer",
        after=days(after_days),
        fields=lambda _: {"officer": officer, "decision": decision, "why": "after review of the file"},
    )


def confirms(officer: str, answer: str = "accepted", after_days: float = 5) -> Move:
    """An officer confirms a denial; the one who made it cannot."""
    return Move(
        by="officer",
        message="officer.confirmed",
        once="officer",
        after=days(after_days),
        fields=lambda _: {"officer": officer},
        answer=answer,
    )


def shows_a_permit() -> Move:
    """The applicant finds the Mexican entry permit that was asked for."""
    document = {
        "kind": "fmm",
        "number": "F-20220901",
        "entered_on": "2022-09-01",
        "issued_on": "2022-09-01",
        "place": "Tapachula",
    }
    return Move(
        by="applicant", message="evidence.submitted", once="applicant", fields=lambda _: {"documents": [document]}
    )


def is_seen_crossing(after_days: float = 10) -> Move:
    """The border reports that the person crossed into Panama irregularly."""

    def fields(now: datetime) -> dict[str, Any]:
        return {"country": "PAN", "crossed_at": now.isoformat()}

    return Move(by="border", message="border.irregular_crossing", once="arrival", after=days(after_days), fields=fields)


def asks_for_more_time(after_days: float = 15) -> Move:
    """The supporter asks for the one extension."""
    return Move(by="supporter", message="authorization.extension_requested", once="arrival", after=days(after_days))


def renews_passport(number: str, after_days: float = 5) -> Move:
    """The person has a new passport."""
    fields = {"passport": passport(number, issued_on=date(2022, 10, 1)).model_dump(mode="json", exclude_none=True)}
    return Move(
        by="applicant", message="passport.changed", once="arrival", after=days(after_days), fields=lambda _: fields
    )


def loses_supporter(once: Standing, after_days: float = 0) -> Move:
    """The supporter steps back."""
    return Move(by="supporter", message="sponsor.withdrew", once=once, after=days(after_days))


def names_supporter(number: int) -> Move:
    """The applicant names another supporter."""
    other = supporter(number).model_dump(mode="json", exclude_none=True)
    return Move(by="applicant", message="sponsor.replaced", once="applicant", fields=lambda _: {"supporter": other})
