"""Filing: the rules that need only what was filed."""

from domain.commands import FileApplication
from domain.decide.draft import Draft
from domain.events import ApplicationFiled, CaseClosed, CaseEvent, EntryRefused, SponsorConfirmationRequested
from domain.rejection import Rejection
from domain.rules.beneficiary import minor_guardian, nationality, one_active_case, sole_nationality
from domain.rules.entry import irregular_entry, mexico_entry_as_declared
from domain.rules.passport import passport_validity

FILING_RULES = (
    nationality,
    sole_nationality,
    passport_validity,
    minor_guardian,
    one_active_case,
    mexico_entry_as_declared,
    irregular_entry,
)
"""In the order of `vocabulary.Rule`; all are tried and recorded, the first that fails gives the reason."""


def file_application(draft: Draft, command: FileApplication) -> None:
    """Record what was filed; judging it is the case's next step.

    Raises:
        Rejection: the case was already filed.
    """
    if draft.case.filed:
        raise Rejection("already-filed")
    application = command.message.application
    travels_with = application.beneficiary.travels_with
    draft.add(
        ApplicationFiled(
            at=command.received_at,
            programme=draft.world.programme.programme,
            rules_version=draft.world.rules.version,
            rules_digest=draft.world.rules.digest,
            principal=travels_with.case if travels_with else None,
            application=application,
        )
    )


def admit(draft: Draft) -> tuple[CaseEvent, ...]:
    """Judge what was filed: close, or ask the registry about the supporter, if one still stands behind the case."""
    results = tuple(rule(draft.case, draft.world) for rule in FILING_RULES)
    basis = draft.basis(*results)
    failed = next((result.rule for result in results if result.result == "failed"), None)
    if failed is None:
        if draft.case.supporter is None:
            return ()
        request = SponsorConfirmationRequested(at=draft.now, request_id=draft.case.next_event_id, basis=basis)
        return (request,)
    outcome = "duplicate" if failed == "one-active-case" else "ineligible"
    closed = CaseClosed(at=draft.now, outcome=outcome, reason=failed, basis=basis)
    return (EntryRefused(at=draft.now, basis=basis), closed) if failed == "mexico-entry" else (closed,)
