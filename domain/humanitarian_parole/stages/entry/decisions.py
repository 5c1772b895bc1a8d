"""What follows: from the records' answers, from documents, from officers, and from the limit for evidence."""

from collections.abc import Iterable
from datetime import datetime

from domain.humanitarian_parole.application import Manner
from domain.humanitarian_parole.stages.entry.events import (
    EntryCheckRequested,
    EntryProofNotRequired,
    EntryRefused,
    EntryVerified,
    EvidenceDeadlinePassed,
    EvidenceReceived,
    EvidenceRequested,
    ProofOfEntry,
)
from domain.humanitarian_parole.stages.entry.messages import (
    EntryCheck,
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.filing import Filed, application_of, beneficiary_of
from domain.humanitarian_parole.stages.mexico_entry import (
    RULE,
    any_strong,
    cutoff,
    latest_mexican_entry,
    mexico_entry,
    mexico_entry_as_declared,
    mexico_entry_at,
    needs_proof,
)
from domain.humanitarian_parole.world import Draft
from domain.kernel.calendar import Deadline, paused_due
from domain.kernel.case import Case, Request
from domain.kernel.definition import (
    Events,
    first_of,
)
from domain.kernel.events import ReferredToOfficer
from domain.kernel.messages import Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.referrals import refer
from domain.kernel.rule_set import RuleSet


def check_of(case: Case, request: Request) -> EntryCheck:
    """What Mexican records are asked."""
    return EntryCheck(
        request_id=request.request_id,
        case_id=case.case_id,
        requested_at=request.at,
        beneficiary=beneficiary_of(case),
        entries=application_of(case).entries,
        documents=case.of(Filed).documents,
    )


def check_entry(draft: Draft) -> Events:
    """The next step towards a proven entry, once the supporter is confirmed."""
    if not needs_proof(draft.case, draft.world):
        results = (mexico_entry_as_declared(draft.case, draft.world),) if RULE in draft.world.rules.rules else ()
        return (EntryProofNotRequired(at=draft.now, basis=draft.basis(*results)),)
    if draft.case.of(ProofOfEntry).asked:
        return ()
    return (EntryCheckRequested(at=draft.now, request_id=draft.case.next_event_id),)


def on_matched(draft: Draft, message: EntryMatchedAnswer) -> Events:
    """Mexican records know the entry; what they leave out is as declared."""
    declared = latest_mexican_entry(draft.case)
    entered_at = message.entered_at or (declared.entered_at if declared else None)
    manner: Manner = message.manner or (declared.manner if declared else "regular")
    if entered_at is None:
        return refer(draft, RULE, ("entry-date-missing",))
    result = mexico_entry_at(draft.case, entered_at, draft.world)
    basis = draft.basis(result)
    if result.result == "failed":
        refused = EntryRefused(at=draft.now, basis=basis, entered_at=entered_at, manner=manner)
        return (refused, *draft.closing("ineligible", RULE, basis))
    if manner == "irregular":
        return refer(draft, RULE, ("irregular-entry-before-cutoff",), basis=basis, answer=message)
    place = message.place or (declared.place if declared else None)
    verified = EntryVerified(at=draft.now, basis=basis, by="records", entered_at=entered_at, place=place, manner=manner)
    return (verified,)


def on_not_found(draft: Draft, message: EntryNotFoundAnswer) -> Events:
    """The records know nothing: a strong document decides, or evidence is asked for."""
    del message
    if any_strong(draft.case.of(Filed).documents, cutoff(draft.world)):
        return _strongly_documented(draft, by_evidence=False)
    return (EvidenceRequested(at=draft.now, fact=draft.fact),)


def on_mismatch(draft: Draft, message: EntryMismatchAnswer) -> Events:
    """The records say otherwise than the applicant: an officer looks."""
    if not message.fields:
        return refer(draft, RULE, ("mismatch",))
    return refer(draft, RULE, message.fields, prefix="mismatch-")


def news_not_found(draft: Draft, message: EntryNotFoundAnswer) -> Events:
    """The records no longer know the entry: an officer looks.

    Raises:
        Rejection: evidence is awaited, which says as much.
    """
    if draft.case.of(ProofOfEntry).evidence_since is not None:
        raise Rejection("evidence-awaited")
    return refer(draft, RULE, ("not-found",), answer=message, news=True)


def news_mismatch(draft: Draft, message: EntryMismatchAnswer) -> Events:
    """The records say, after they answered, otherwise than the applicant: an officer looks."""
    fields = tuple(f"mismatch-{each}" for each in message.fields) or ("mismatch",)
    return refer(draft, RULE, fields, answer=message, news=True)


def news_matched(draft: Draft, message: EntryMatchedAnswer) -> Events:
    """An entry on or after the cutoff that nobody asked about differs from what was said: an officer looks.

    Raises:
        Rejection: it is favourable, and nobody asked.
    """
    if message.entered_at is None or mexico_entry_at(draft.case, message.entered_at, draft.world).result == "passed":
        raise Rejection("no-open-request")
    return refer(draft, RULE, ("mismatch-entered_at",), answer=message, news=True)


def receive_evidence(draft: Draft, message: EvidenceSubmission, command: TakeMessage) -> None:
    """Record what the applicant sent; weak evidence leaves the limit standing.

    Raises:
        Rejection: no evidence was asked for, or the entry is already verified.
    """
    if not draft.case.of(ProofOfEntry).evidence_taken:
        raise Rejection("no-evidence-wanted")
    strong = any_strong(message.documents, cutoff(draft.world))
    at = draft.not_before(command.received_at)
    draft.add(EvidenceReceived(at=at, strong=strong, documents=message.documents))


def _matched(events: Events) -> EntryMatchedAnswer:
    for each in events:
        if isinstance(each, EntryVerified):
            return EntryMatchedAnswer(entered_at=each.entered_at, place=each.place, manner=each.manner)
        if isinstance(each, EntryRefused):
            return EntryMatchedAnswer(entered_at=each.entered_at, manner=each.manner)
        if isinstance(each, ReferredToOfficer) and each.answer:
            return EntryMatchedAnswer.model_validate_json(each.answer.body)
    return EntryMatchedAnswer()


def _mismatch(events: Events) -> EntryMismatchAnswer:
    referred = first_of(ReferredToOfficer, events)
    return EntryMismatchAnswer(fields=() if referred.codes == ("mismatch",) else referred.flags)


def judge_evidence(draft: Draft) -> Events:
    """Strong evidence has come: the entry is verified, without a new call to the records."""
    proof = draft.case.of(ProofOfEntry)
    open_ = draft.case.has_referral(RULE) or draft.case.open_referrals
    if not proof.evidence_taken or proof.evidence_since or open_:
        return ()
    return _strongly_documented(draft, by_evidence=True)


def _strongly_documented(draft: Draft, *, by_evidence: bool) -> Events:
    declared = latest_mexican_entry(draft.case)
    basis = draft.basis(mexico_entry(draft.case, passed=True, because="strong-document"))
    if declared is not None and declared.manner == "irregular":
        return refer(draft, RULE, ("irregular-entry-before-cutoff",), basis=basis)
    return (EntryVerified(at=draft.now, basis=basis, by="evidence" if by_evidence else "document"),)


def approved_by_officer(draft: Draft) -> Events:
    """An officer accepted the entry."""
    basis = draft.basis(mexico_entry(draft.case, passed=True, because="officer-approved"))
    return (EntryVerified(at=draft.now, basis=basis, by="officer"),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers refused the entry."""
    basis = draft.basis(mexico_entry(draft.case, passed=False, because="officer-denied"))
    return (
        EntryRefused(at=draft.now, basis=basis, by_officer=True),
        *draft.closing("denied", RULE, basis, referral=number),
    )


def end_evidence(draft: Draft, due_at: datetime) -> None:
    """The limit for evidence passed with nothing strong received before it."""
    draft.add(EvidenceDeadlinePassed(at=draft.not_before(due_at)))
    draft.add(*draft.closing("ineligible", "evidence-deadline", facts=(draft.case.of(ProofOfEntry).evidence_fact,)))


def running(case: Case, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The limit for evidence."""
    since = case.of(ProofOfEntry).evidence_since
    if since is not None and not programme.suspended:
        due = paused_due(since, rules.limit("evidence"), programme.pauses, rules.pause_floor, case.stops)
        if due is not None:
            yield Deadline(due, "evidence")
