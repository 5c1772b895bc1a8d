"""Sponsor confirmation, and supporters who withdraw or take another's place."""

from domain import events as e
from domain.case import Case
from domain.evolve.changes import Handlers, answered, asked, forward, replace, settled, without_answers_of


def _sponsor_requested(case: Case, event: e.SponsorConfirmationRequested) -> Case:
    return replace(case, admitted=True, requests=asked(case, "sponsor_registry", event.request_id, event.at))


def _sponsor_confirmed(case: Case, event: e.SponsorConfirmed) -> Case:
    return replace(
        case,
        sponsor_ok=True,
        requests=answered(case, "sponsor_registry"),
        referrals=settled(case, "supporter"),
        stage=forward(case, "proof_of_entry"),
    )


def _sponsor_not_confirmed(case: Case, event: e.SponsorNotConfirmed) -> Case:
    return replace(case, requests=answered(case, "sponsor_registry"))


def _sponsor_withdrew(case: Case, event: e.SponsorWithdrew) -> Case:
    if case.parole:
        return replace(case, supporter=None)
    return replace(
        case,
        supporter=None,
        sponsor_ok=False,
        supporter_gone_at=event.at,
        waitlisted_at=None,
        requests=answered(case, "sponsor_registry"),
        referrals=tuple(r for r in case.referrals if r.settled or r.question != "supporter"),
        held_answers=without_answers_of(case, "sponsor."),
    )


def _sponsor_replaced(case: Case, event: e.SponsorReplaced) -> Case:
    return replace(case, supporter=event.supporter, supporter_fact=case.next_event_id, supporter_gone_at=None)


HANDLERS: Handlers = {
    e.SponsorConfirmationRequested: _sponsor_requested,
    e.SponsorConfirmed: _sponsor_confirmed,
    e.SponsorNotConfirmed: _sponsor_not_confirmed,
    e.SponsorWithdrew: _sponsor_withdrew,
    e.SponsorReplaced: _sponsor_replaced,
}
