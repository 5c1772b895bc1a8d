"""What handlers of several stages change in the same way."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from domain.case import Case, Referral, Request
from domain.events import CaseEvent
from domain.vocabulary import Partner, Question, Stage

if TYPE_CHECKING:
    from dataclasses import replace as replace  # noqa: PLC0414  exported
else:
    from dataclasses import replace as _replace

    def replace(value, /, **changes):  # noqa: ANN001, ANN003, ANN201  typed as the function that it stands in for
        """As `dataclasses.replace`, which asks a case for its 45 fields by name, one after another, at each event.

        Folding is most of what a replay and a verification do; this is several times faster.
        """
        fields = getattr(value, "__dict__", None)
        if fields is None or not changes.keys() <= fields.keys():
            return _replace(value, **changes)
        after = object.__new__(type(value))
        after.__dict__.update(fields)
        after.__dict__.update(changes)
        return after


def stamped(before: Case, after: Case, **changes: Any) -> Case:
    """`after` with the changes that every event makes. It was made for this event, so it is finished, not copied."""
    if after is before:
        return replace(after, **changes)
    after.__dict__.update(changes)
    return after


Handlers = Mapping[type[CaseEvent], Callable[[Case, Any], Case]]
"""By event: what it makes of a case. Each handler takes the event it stands under."""

_STAGES: Final[tuple[Stage, ...]] = (
    "sponsor_confirmation",
    "proof_of_entry",
    "security_vetting",
    "travel_authorization",
    "work_permit_eligibility",
    "closed",
)


def forward(case: Case, stage: Stage) -> Stage:
    """The later of the two: nothing moves a stage back."""
    return max(case.stage, stage, key=_STAGES.index)


def asked(case: Case, partner: Partner, request_id: str, at: datetime) -> tuple[Request, ...]:
    """The open requests with a new one to `partner`, in place of any before it."""
    return (*answered(case, partner), Request(request_id, partner, at))


def answered(case: Case, partner: Partner) -> tuple[Request, ...]:
    """The open requests without those to `partner`."""
    return tuple(request for request in case.requests if request.partner != partner)


def settled(case: Case, question: Question) -> tuple[Referral, ...]:
    """The referrals, those approved on `question` marked as having taken effect."""
    return tuple(
        replace(r, settled=True) if r.question == question and r.decision == "approve" else r for r in case.referrals
    )


def without_answers_of(case: Case, prefix: str) -> tuple[str, ...]:
    """The answers that wait with the case, without those whose message begins with `prefix`."""
    return tuple(answer for answer in case.held_answers if f'"message":"{prefix}' not in answer)


def unchanged(case: Case, event: CaseEvent) -> Case:
    """The event tells what happened; what it changes, other events say."""
    return case
