"""What each event makes of a case, and the stage as it is declared."""

from domain.humanitarian_parole.stages.entry.decisions import (
    _matched,
    _mismatch,
    approved_by_officer,
    check_entry,
    check_of,
    denied_by_officers,
    end_evidence,
    news_matched,
    news_mismatch,
    news_not_found,
    on_matched,
    on_mismatch,
    on_not_found,
    receive_evidence,
)
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
    PARTNER,
    EntryCheck,
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.filing import Filed
from domain.humanitarian_parole.stages.mexico_entry import (
    RULE,
)
from domain.kernel.case import Case, answered, asked, replace, settled, with_part
from domain.kernel.definition import (
    LimitDefinition,
    PartnerDefinition,
    QuestionDefinition,
    Stage,
    Words,
    also,
    answer,
    event,
    first_of,
    message,
    name_of,
    retractable,
)
from domain.kernel.events import CaseEvent, CaseReopened, FactRetracted


def _settled(case: Case, event: CaseEvent) -> Case:
    del event
    return with_part(
        case,
        replace(case.of(ProofOfEntry), verified=True, evidence_since=None, evidence_taken=False),
        requests=answered(case, PARTNER),
        referrals=settled(case, RULE),
        stage="security_vetting",
    )


def _requested(case: Case, event: EntryCheckRequested) -> Case:
    requests = asked(case, PARTNER, event.request_id, event.at)
    return with_part(case, replace(case.of(ProofOfEntry), asked=True), requests=requests)


def _refused(case: Case, event: EntryRefused) -> Case:
    del event
    return replace(case, requests=answered(case, PARTNER))


def _evidence_requested(case: Case, event: EvidenceRequested) -> Case:
    proof = replace(case.of(ProofOfEntry), evidence_since=event.at, evidence_taken=True, evidence_fact=event.fact)
    return with_part(case, proof, requests=answered(case, PARTNER))


def _evidence_received(case: Case, event: EvidenceReceived) -> Case:
    filed, proof = case.of(Filed), case.of(ProofOfEntry)
    filed = replace(
        filed,
        documents=(*filed.documents, *event.documents),
        document_facts=(*filed.document_facts, case.next_event_id),
    )
    case = with_part(case, filed)
    return with_part(case, replace(proof, evidence_since=None)) if event.strong else case


def _evidence_lapsed(case: Case, event: EvidenceDeadlinePassed) -> Case:
    del event
    return with_part(case, replace(case.of(ProofOfEntry), evidence_since=None, evidence_taken=False))


def _retracted(case: Case, event: FactRetracted) -> Case:
    """A first answer that is taken back is asked again, unless the entry is verified or an officer looks."""
    proof = case.of(ProofOfEntry)
    begun = proof.evidence_fact == event.fact
    silent = case.request_to(PARTNER) is None and not case.has_referral(RULE)
    if proof.verified or event.kind not in _KINDS or not silent or (proof.evidence_taken and not begun):
        return case
    return with_part(case, ProofOfEntry())


def _reopened(case: Case, event: CaseReopened) -> Case:
    del event
    asking = case.closing is not None and PARTNER in case.closing.partners
    return with_part(case, replace(case.of(ProofOfEntry), asked=False)) if asking else case


_KINDS = tuple(name_of(kind) for kind in (EntryNotFoundAnswer, EntryMismatchAnswer))

STAGE = Stage(
    name="proof_of_entry",
    title=Words("proof of entry", "comprobante de ingreso"),
    events=(
        event(
            EntryProofNotRequired,
            _settled,
            Words("No proof of entry into Mexico is needed.", "No se requiere comprobante de ingreso a México."),
        ),
        event(
            EntryCheckRequested,
            _requested,
            Words("The Mexican entry records were asked.", "Se consultaron los registros migratorios de México."),
        ),
        event(
            EntryVerified,
            _settled,
            Words("The entry into Mexico is verified ({by}).", "El ingreso a México quedó verificado ({by})."),
            codes={
                "records": Words("by the records", "por los registros"),
                "document": Words("by a document", "por un documento"),
                "evidence": Words("by evidence", "por un comprobante"),
                "officer": Words("by an officer", "por un oficial"),
            },
        ),
        event(
            EntryRefused,
            _refused,
            Words("The entry into Mexico does not qualify.", "El ingreso a México no cumple el requisito."),
        ),
        event(
            EvidenceRequested,
            _evidence_requested,
            Words(
                "The applicant was asked for proof of entry.",
                "Se pidió a la persona solicitante un comprobante de ingreso.",
            ),
            lengths=("evidence",),
        ),
        event(
            EvidenceReceived,
            _evidence_received,
            Words("Proof of entry was received ({strong}).", "Se recibió un comprobante ({strong})."),
            codes={"True": Words("strong", "sólido"), "False": Words("weak", "débil")},
        ),
        event(
            EvidenceDeadlinePassed,
            _evidence_lapsed,
            Words("The limit for proof of entry ended.", "Venció el plazo para el comprobante de ingreso."),
            lengths=("evidence",),
        ),
        also(FactRetracted, _retracted),
        also(CaseReopened, _reopened),
    ),
    messages=(
        message(
            EvidenceSubmission,
            receive_evidence,
            "The applicant sends proof of entry.",
            said=lambda events: EvidenceSubmission(documents=first_of(EvidenceReceived, events).documents),
        ),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the Mexican entry records", "los registros migratorios de México"),
            waiting_on="entry_records",
            asks=EntryCheck,
            check=check_of,
            answers=(
                answer(
                    EntryMatchedAnswer,
                    on_matched,
                    "Mexican records know the entry as it was declared.",
                    said=_matched,
                    news=news_matched,
                ),
                retractable(
                    answer(
                        EntryNotFoundAnswer,
                        on_not_found,
                        "Mexican records do not know the entry.",
                        news=news_not_found,
                    )
                ),
                retractable(
                    answer(
                        EntryMismatchAnswer,
                        on_mismatch,
                        "Mexican records differ: an officer looks.",
                        {"fields": ["entered_at"]},
                        said=_mismatch,
                        news=news_mismatch,
                    )
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, approved_by_officer, denied_by_officers),),
    limits=(LimitDefinition("evidence", end_evidence, "proof of entry is awaited"),),
    lengths=("evidence",),
    reasons={
        "evidence-deadline": Words("the limit for evidence ended", "venció el plazo para el comprobante"),
    },
    carry_on=check_entry,
    done=lambda case: case.of(ProofOfEntry).verified,
)
