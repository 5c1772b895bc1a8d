"""Taking a message: who may say what when, and what is recorded at once."""

from datetime import datetime
from typing import TypeAlias, assert_never

from domain import messages as m
from domain.commands import TakeMessage
from domain.decide import entry, parole, referral, sponsor, travel, vetting
from domain.decide.draft import Draft
from domain.events import ApplicationWithdrawn, CaseClosed, CaseEvent, CaseHeld, HeldAnswer
from domain.rejection import Rejection
from domain.vocabulary import Partner


def take_message(draft: Draft, command: TakeMessage) -> None:
    """Record what the message reports.

    Raises:
        Rejection: the case cannot take it now.
    """
    if not draft.case.filed:
        raise Rejection("not-filed")
    if draft.case.closed:
        raise Rejection("case-closed")
    if isinstance(command.message, m.PartnerAnswer):
        _take_answer(draft, command.message)
    else:
        _take_report(draft, command.message, command)


def _take_report(draft: Draft, message: m.Report, command: TakeMessage) -> None:
    received_at = command.received_at
    match message:
        case m.SponsorWithdrewNotice():
            sponsor.withdraw_sponsor(draft, received_at)
        case m.SponsorReplacement():
            sponsor.replace_sponsor(draft, message, received_at)
        case m.EvidenceSubmission():
            entry.receive_evidence(draft, message, received_at)
        case m.WithdrawalRequest():
            _withdraw(draft, command.source, received_at)
        case m.OfficerDecision():
            referral.record_decision(draft, message, received_at)
        case m.OfficerConfirmation():
            referral.confirm_denial(draft, message, received_at)
        case m.WorkPermitApplication():
            parole.apply_for_work_permit(draft, received_at)
        case m.PlaceOffered() | m.ProgrammeChanged():
            pass  # A bell: what follows is the case's next step.
        case m.ApplicationSubmitted():
            raise Rejection("already-filed")
        case _:
            _take_travel_report(draft, message, received_at)


_TravelReport: TypeAlias = (
    m.PassportChange | m.IrregularCrossingReport | m.ExtensionRequest | m.ArrivalParoled | m.ArrivalRefused
)


def _take_travel_report(draft: Draft, message: _TravelReport, received_at: datetime) -> None:
    match message:
        case m.PassportChange():
            travel.change_passport(draft, message, received_at)
        case m.IrregularCrossingReport():
            travel.record_crossing(draft, message, received_at)
        case m.ExtensionRequest():
            travel.extend(draft, received_at)
        case m.ArrivalParoled():
            parole.grant_parole(draft, message, received_at)
        case m.ArrivalRefused():
            travel.refuse_arrival(draft, message, received_at)
        case _:
            assert_never(message)


def _withdraw(draft: Draft, source: str, received_at: datetime) -> None:
    if draft.case.parole:
        raise Rejection("already-paroled")
    at = draft.at(received_at)
    draft.add(
        ApplicationWithdrawn(at=at, by="supporter" if source == "supporter" else "applicant"),
        CaseClosed(at=at, outcome="withdrawn", reason="applicant-withdrew"),
    )


def _take_answer(draft: Draft, message: m.Answer) -> None:
    partner = _ANSWERING[message.SENDERS[0]]
    request = draft.case.request_to(partner)
    if request is None:
        raise Rejection("no-open-request")
    if message.request_id is not None and message.request_id != request.request_id:
        raise Rejection("answers-another-request")
    if draft.world.programme.suspended and partner != "work_permit_office":
        answer = HeldAnswer(partner=partner, body=message.model_dump_json())
        draft.add(CaseHeld(at=draft.now, partner=partner, answer=answer))
    else:
        draft.add(*consequences(draft, message))


_ANSWERING: dict[str, Partner] = {
    "sponsor_registry": "sponsor_registry",
    "entry_records": "entry_records",
    "vetting": "vetting",
    "work_permit_office": "work_permit_office",
}


def consequences(  # noqa: C901, PLR0911  # one arm a kind of answer
    draft: Draft, message: m.Answer
) -> tuple[CaseEvent, ...]:
    """What follows from a partner's answer; all of it waits while the programme is suspended, save work permits."""
    match message:
        case m.SponsorConfirmedAnswer():
            return sponsor.on_confirmed(draft)
        case m.SponsorNotConfirmedAnswer():
            return sponsor.on_not_confirmed(draft, message)
        case m.SponsorNeedsReviewAnswer():
            return referral.refer(draft, "supporter", message.flags or ("needs-review",))
        case m.EntryMatchedAnswer():
            return entry.on_matched(draft, message)
        case m.EntryNotFoundAnswer():
            return entry.on_not_found(draft)
        case m.EntryMismatchAnswer():
            return entry.on_mismatch(draft, message)
        case m.VettingClearedAnswer():
            return vetting.on_cleared(draft, message)
        case m.VettingReferredAnswer():
            return vetting.on_referred(draft, message)
        case m.VettingHitAnswer():
            return vetting.on_hit(draft, message)
        case m.WorkPermitEligibleAnswer():
            return parole.on_eligible(draft, message)
        case m.WorkPermitIneligibleAnswer():
            return parole.on_ineligible(draft, message)
        case _:
            assert_never(message)
