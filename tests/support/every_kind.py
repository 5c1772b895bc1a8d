"""Everything that partners could ever say about a case, with contents."""

from collections.abc import Iterator
from typing import Any, Final

from cases.inbound.wire import WIRE, PartnerName, senders_of
from tests.support.applicants import A_PERMIT, passport, supporter
from tests.support.whole_stack import DAY_ONE

CLOSING: Final = frozenset(
    {"sponsor.not_confirmed", "application.withdrawn", "border.irregular_crossing", "officer.confirmed"}
)
"""A case that hears none of these lives on to refuse more."""

Delivery = tuple[PartnerName, str, dict[str, Any]]
"""Who sends, under which id, and what."""


def contents(person: int) -> dict[str, dict[str, Any]]:
    """The fields of each kind that has any."""
    return {
        "border.irregular_crossing": {"country": "PAN", "crossed_at": DAY_ONE.isoformat()},
        "evidence.submitted": A_PERMIT,
        "officer.decided": {"officer": "o-1", "decision": "approve", "why": "after review of the file"},
        "arrival.paroled": {"port": "MIA", "by": "air"},
        "officer.confirmed": {"officer": "o-2"},
        "officer.reconsidered": {"officer": "o-3", "why": "after another look at the file"},
        "fact.retracted": {"of": "what-nobody-said"},
        "arrival.refused": {"port": "MIA"},
        "sponsor.replaced": {"supporter": supporter(person + 500).model_dump(mode="json", exclude_none=True)},
        "passport.changed": {"passport": passport(f"17{person:07}").model_dump(mode="json", exclude_none=True)},
    }


def one_of_each_kind(case_id: str, person: int, mark: str) -> Iterator[Delivery]:
    """One message of each kind about the case; to persons with an odd number none that closes it."""
    fields = contents(person)
    for kind in WIRE:
        if not kind.startswith("programme.") and not (kind in CLOSING and person % 2):
            body = {"case": case_id, "message": kind, **fields.get(kind, {})}
            yield senders_of(kind)[0], f"{mark}-{person}-{kind}", body
