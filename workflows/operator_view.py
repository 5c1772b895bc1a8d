"""What an operator sees of a case in the Temporal UI: search attributes and current details."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from activities.contracts import Call, RefusedSignal, Reply, Step
from activities.safe import Summary
from domain import registry
from workflows import contracts
from workflows.signals import PendingSignals

NEXT: Final = {whom: words for family in registry.families() for whom, words in family.next_words.items()}
"""By whom a case waits on: who acts next, and with which signal."""


def show_search_attributes(step: Step) -> None:
    """One upsert with what differs from what the server has, or none: each costs an event and an action."""
    now = workflow.info().typed_search_attributes
    wanted: tuple[tuple[Any, Any], ...] = (
        (contracts.CASE_STAGE, step.stage),
        (contracts.WAITING_ON, step.waiting_on),
        (contracts.OUTCOME, step.outcome),
        (contracts.STAGE_DEADLINE, step.overdue_since or (step.due.at if step.due else None)),
        (contracts.PROGRAMME, step.programme),
        (contracts.RULES_VERSION, step.rules_version),
        (contracts.FLAGS, list(step.flags) or None),
    )
    changed: list[SearchAttributeUpdate[Any]] = [
        key.value_unset() if value is None else key.value_set(value)
        for key, value in wanted
        if (now.get(key) or None) != value
    ]
    if changed:
        workflow.upsert_search_attributes(changed)


def details(
    step: Step | None,
    signals: PendingSignals,
    trouble: str | None,
    refused_calls: Mapping[str, str],
    refused: Iterable[RefusedSignal] = (),
) -> str:
    """Markdown for the UI, from the Step and from what this run noted: no link, nothing personal, under 4 KB.

    `trouble` is the code with which the last activity gave up; `refused_calls` are the request ids that a partner
    refused for good, with the code; `refused` are direct signals from which nothing followed.
    """
    lines = [*_trouble(trouble), *_where(step, refused_calls), *_news(step, signals, refused)]
    return "\n".join(lines)


def _trouble(code: str | None) -> Iterator[str]:
    if code:
        yield _bullet("Needs an engineer", "the activity gave up with `{code}`; the next signal tries again", code=code)


def _where(step: Step | None, refused_calls: Mapping[str, str]) -> Iterator[str]:
    if step is None:
        return
    yield _bullet("Stage", "`{stage}` since {since}", stage=step.stage, since=step.since)
    if step.outcome:
        yield _bullet("Outcome", "`{outcome}`", outcome=step.outcome)
    if step.reason:
        yield _bullet("Reason", "`{reason}`", reason=step.reason)
    if step.waiting_on:
        yield _bullet("Waiting on", "`{whom}`", whom=step.waiting_on)
        yield f"- **Next** {NEXT[step.waiting_on]}"
    if step.overdue_since:
        yield _bullet("Overdue", "an officer's answer, since {at}", at=step.overdue_since)
    if step.due:
        yield _bullet("Due", "`{limit}` {at}", limit=step.due.name, at=step.due.at)
    for call in step.calls:
        yield _call(call, refused_calls.get(call.request_id))
    if step.flags:
        yield "- **Flags** " + ", ".join(f"`{flag}`" for flag in step.flags)


def _news(step: Step | None, signals: PendingSignals, refused: Iterable[RefusedSignal]) -> Iterator[str]:
    if signals.last:
        yield _bullet("Last signal", "`{last}`", last=signals.last)
    if signals.refused:
        yield _bullet("Signals refused", "{refused}: not readable, or too many at once", refused=signals.refused)
    for each in refused:
        yield _bullet(
            "Signal refused",
            "`{message}` `{id}`: `{code}`",
            message=each.message,
            id=each.message_id,
            code=each.code,
        )
    if step is None:
        return
    if step.answers:
        yield _answer(step.answers[-1])
    yield _bullet(
        "Case",
        "version {version}, programme `{programme}`, rules `{rules}`",
        version=step.version,
        programme=step.programme,
        rules=step.rules_version,
    )


def _answer(answer: Reply) -> str:
    template = "number {number}, {answer}" + (", `{code}`" if answer.code else "")
    return _bullet(
        "Last message taken",
        template,
        number=answer.number,
        answer=answer.answer or "decided",
        code=answer.code or "none",
    )


def _call(call: Call, code: str | None) -> str:
    if code:
        return _bullet(
            "Refused call",
            "`{partner}` refused request `{request}`: `{code}`; a person must look",
            partner=call.partner,
            request=call.request_id,
            code=code,
        )
    waiting = "`{partner}` has not accepted request `{request}` yet"
    if call.silent_since is None or call.paused_until is None:
        return _bullet("Calling", waiting, partner=call.partner, request=call.request_id)
    return _bullet(
        "Calling",
        waiting + "; it takes none since {since}, and calls pause until {until}",
        partner=call.partner,
        request=call.request_id,
        since=call.silent_since,
        until=call.paused_until,
    )


def _bullet(head: str, template: str, **gaps: Any) -> str:
    return Summary.of(f"- **{head}** {template}", **gaps)
