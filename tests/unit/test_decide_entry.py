"""Proof of entry: the records' answers, strong and weak documents, the limit for evidence, officers."""

from datetime import date, datetime
from typing import Any

import pytest

from domain.humanitarian_parole.application import Document
from domain.humanitarian_parole.stages.entry import (
    EntryCheckRequested,
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EntryRefused,
    EntryVerified,
    EvidenceDeadlinePassed,
    EvidenceReceived,
    EvidenceRequested,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmed, SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import VettingRequested
from domain.kernel.events import (
    CaseClosed,
    CaseEvent,
    CaseHeld,
    CaseResumed,
    OfficerDecided,
    OfficerDecisionConfirmed,
    ReferredToOfficer,
)
from domain.kernel.messages import OfficerConfirmation, OfficerDecision, ProgrammeChanged
from tests.support.filed import a_stamp, an_entry, day, in_mexico
from tests.support.given import happened, met, plus, suspended, told
from tests.support.stages import asked_about_entry, asked_about_supporter, asked_for_evidence, asked_for_vetting

LIMIT = day(34)
WEAK = a_stamp(issued_on=date(2022, 10, 12))


def evidence(*documents: Document) -> EvidenceSubmission:
    return EvidenceSubmission(documents=documents or (a_stamp(),))


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def test_in_mexico_the_records_are_asked_once_the_supporter_is_confirmed() -> None:
    then = (
        asked_about_supporter(in_mexico())
        .when(told(SponsorConfirmedAnswer(), day(3)))
        .then(SponsorConfirmed, EntryCheckRequested)
    )

    assert (then.case.stage, then.case.waiting_on) == ("proof_of_entry", "entry_records")


def test_a_matched_entry_needs_no_document_and_is_as_declared_by_default() -> None:
    asked_about_entry().when(told(EntryMatchedAnswer(), day(4))).then(
        happened(
            EntryVerified,
            by="records",
            entered_at=at("2022-09-01T10:00:00-05:00"),
            place="Tapachula",
            manner="regular",
        ),
        VettingRequested,
    )


@pytest.mark.parametrize("moment", ["2022-10-11T23:59:59-05:00", "2022-10-11T22:00:00-08:00"])
def test_a_matched_entry_before_the_announcement_is_verified(moment: str) -> None:
    answer = EntryMatchedAnswer(entered_at=at(moment), place="Cd. Hidalgo")

    asked_about_entry().when(told(answer, day(4))).then(
        happened(EntryVerified, entered_at=at(moment), place="Cd. Hidalgo"), VettingRequested
    )


@pytest.mark.parametrize("manner", ["regular", "irregular"])
def test_a_matched_entry_on_the_day_of_the_announcement_is_refused(manner: Any) -> None:
    answer = EntryMatchedAnswer(entered_at=at("2022-10-12T00:00:00-05:00"), manner=manner)

    asked_about_entry().when(told(answer, day(4))).then(
        EntryRefused, happened(CaseClosed, outcome="ineligible", reason="mexico-entry")
    )


def test_an_irregular_entry_that_is_matched_goes_to_an_officer() -> None:
    declared = in_mexico(an_entry(manner="irregular"))

    asked_about_entry(declared).when(told(EntryMatchedAnswer(), day(4))).then(
        happened(ReferredToOfficer, question="mexico-entry", codes=("irregular-entry-before-cutoff",))
    )
    asked_about_entry().when(told(EntryMatchedAnswer(manner="irregular"), day(4))).then(
        happened(ReferredToOfficer, question="mexico-entry")
    )
    asked_about_entry(declared).when(told(EntryMatchedAnswer(manner="regular"), day(4))).then(
        EntryVerified, VettingRequested
    )


def test_an_entry_that_is_not_found_is_accepted_on_a_strong_document() -> None:
    documented = in_mexico(documents=(WEAK, a_stamp(kind="fmm")))

    asked_about_entry(documented).when(told(EntryNotFoundAnswer(), day(4))).then(
        happened(EntryVerified, by="document"), VettingRequested
    )


def test_an_irregular_entry_that_is_strongly_documented_goes_to_an_officer() -> None:
    documented = in_mexico(an_entry(manner="irregular"), documents=(a_stamp(),))

    asked_about_entry(documented).when(told(EntryNotFoundAnswer(), day(4))).then(
        happened(ReferredToOfficer, question="mexico-entry", codes=("irregular-entry-before-cutoff",))
    )


@pytest.mark.parametrize("documents", [(), (WEAK,), (a_stamp(kind="tvrh"),)], ids=["none", "issued late", "declared"])
def test_without_a_strong_document_evidence_is_asked_for(documents: tuple[Document, ...]) -> None:
    then = (
        asked_about_entry(in_mexico(documents=documents))
        .when(told(EntryNotFoundAnswer(), day(4)))
        .then(EvidenceRequested)
    )

    assert then.case.waiting_on == "applicant"
    assert then.due(day(4)) == {"evidence": LIMIT}


def test_a_mismatch_goes_to_an_officer() -> None:
    asked_about_entry().when(told(EntryMismatchAnswer(fields=("birth_date", "Nombre completo")), day(4))).then(
        happened(ReferredToOfficer, question="mexico-entry", codes=("mismatch-birth_date", "other"))
    )
    asked_about_entry().when(told(EntryMismatchAnswer(), day(4))).then(happened(ReferredToOfficer, codes=("mismatch",)))


def test_the_longest_field_name_that_the_records_may_send_is_referred_like_any_other() -> None:
    answer = EntryMismatchAnswer(fields=("x" * 100,))

    asked_about_entry().when(told(answer, day(4))).then(happened(ReferredToOfficer, question="mexico-entry"))


def test_a_match_without_a_date_of_an_entry_never_declared_goes_to_an_officer() -> None:
    undeclared = in_mexico(an_entry(country="GTM"))

    asked_about_entry(undeclared).when(told(EntryMatchedAnswer(), day(4))).then(
        happened(ReferredToOfficer, question="mexico-entry", codes=("entry-date-missing",))
    )


def test_an_officer_approves_the_entry() -> None:
    referred = asked_about_entry().and_then(told(EntryMismatchAnswer(), day(4)))

    referred.when(told(OfficerDecision(officer="o-1", decision="approve", why="looked at"), day(5))).then(
        OfficerDecided, happened(EntryVerified, by="officer"), VettingRequested
    )


def test_two_officers_refuse_the_entry() -> None:
    referred = asked_about_entry().and_then(told(EntryMismatchAnswer(), day(4)))
    denied = referred.when(told(OfficerDecision(officer="o-1", decision="deny", why="looked at"), day(5))).then(
        OfficerDecided
    )

    denied.when(told(OfficerConfirmation(officer="o-2"), day(6))).then(
        OfficerDecisionConfirmed,
        happened(EntryRefused, by_officer=True),
        happened(CaseClosed, outcome="denied", reason="mexico-entry"),
    )


def test_strong_evidence_verifies_without_a_new_call_to_the_records() -> None:
    asked_for_evidence().when(told(evidence(), plus(LIMIT, microseconds=-1))).then(
        happened(EvidenceReceived, strong=True), happened(EntryVerified, by="evidence"), VettingRequested
    )


def test_weak_evidence_is_recorded_and_the_limit_stands() -> None:
    then = asked_for_evidence().when(told(evidence(WEAK), day(20))).then(happened(EvidenceReceived, strong=False))

    assert then.case.waiting_on == "applicant"
    assert then.due(day(20)) == {"evidence": LIMIT}


def test_evidence_of_an_irregular_entry_goes_to_an_officer_and_more_may_be_sent() -> None:
    asked = asked_about_entry(in_mexico(an_entry(manner="irregular"))).and_then(told(EntryNotFoundAnswer(), day(4)))
    referred = asked.when(told(evidence(), day(20))).then(EvidenceReceived, ReferredToOfficer)
    assert "evidence" not in referred.due(day(20))

    referred.when(told(evidence(WEAK), day(21))).then(happened(EvidenceReceived, strong=False))


def test_evidence_is_taken_from_the_request_for_it_until_the_entry_is_verified() -> None:
    asked_about_entry().when(told(evidence(), day(3))).then_rejected("no-evidence-wanted")
    asked_for_vetting().when(told(evidence(), day(4))).then_rejected("no-evidence-wanted")
    verified = asked_for_evidence().and_then(told(evidence(), day(5)))
    verified.when(told(evidence(), day(6))).then_rejected("no-evidence-wanted")


def test_the_limit_for_evidence_closes_the_case() -> None:
    asked_for_evidence().when(met("evidence", LIMIT)).then(
        happened(EvidenceDeadlinePassed, at=LIMIT),
        happened(CaseClosed, outcome="ineligible", reason="evidence-deadline"),
    )


def test_the_limit_for_evidence_does_nothing_before_its_time_or_after_evidence() -> None:
    asked_for_evidence().when(met("evidence", plus(LIMIT, microseconds=-1))).then_nothing()
    asked_for_evidence().and_then(told(evidence(), day(5))).when(met("evidence", LIMIT)).then_nothing()
    asked_for_evidence().when(met("evidence", LIMIT), programme=suspended(day(30))).then_nothing()


def test_evidence_in_a_suspension_is_recorded_and_verified_when_it_ends() -> None:
    held = (
        asked_for_evidence()
        .when(told(evidence(), day(20)), programme=suspended(day(10)))
        .then(EvidenceReceived, CaseHeld)
    )
    assert held.case.waiting_on == "programme"

    held.when(told(ProgrammeChanged(), day(25)), programme=suspended(day(10), day(25))).then(
        CaseResumed, EntryVerified, VettingRequested
    )


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (EntryMatchedAnswer(), (EntryVerified, VettingRequested)),
        (EntryNotFoundAnswer(), (EvidenceRequested,)),
        (EntryMismatchAnswer(), (ReferredToOfficer,)),
        (EntryMatchedAnswer(entered_at=at("2022-10-12T00:00:00-05:00")), (EntryRefused, CaseClosed)),
    ],
    ids=["matched", "not found", "mismatch", "too late"],
)
def test_the_records_answer_waits_in_a_suspension(answer: Any, then: tuple[type[CaseEvent], ...]) -> None:
    held = (
        asked_about_entry()
        .when(told(answer, day(4)), programme=suspended(day(3.5)))
        .then(happened(CaseHeld, partner="entry_records"))
    )
    again = told(EntryMatchedAnswer(), day(5))
    held.when(again, programme=suspended(day(3.5))).then_rejected("no-open-request")

    held.when(told(ProgrammeChanged(), day(9)), programme=suspended(day(3.5), day(9))).then(CaseResumed, *then)
