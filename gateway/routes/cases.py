"""`/v1/cases/{id}`: where a case stands and what happened in it. Nothing personal."""

import json
from datetime import UTC, date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field

from domain import registry
from domain.kernel.calendar import end_of
from domain.kernel.ids import CaseId, Code
from eventstore.format.codec import CODEC
from eventstore.inbox import InboxRow
from eventstore.port import Stored
from eventstore.summary import CaseSummary
from gateway.deps import Deps, GatewayDeps
from gateway.http.parameters import CasePath
from gateway.http.problems import Problem, documented
from gateway.identity.callers import READS_RECORD, READS_STATUS, UNKNOWN_CALLER
from gateway.identity.tokens import Caller

router = APIRouter(tags=["cases"])

EVENTS_MAX: Final = 200
"""Events in one answer. A case has some thirty in its whole life."""


class DueView(BaseModel):
    """The next deadline."""

    name: Code
    at: AwareDatetime = Field(description="A message received at this moment is late.")


class CaseView(BaseModel):
    """Where a case stands."""

    case_id: CaseId = Field(examples=["VEN-7Q4K-M2XS"])
    programme: str = Field(examples=["venezuela-air"])
    stage: Code
    waiting_on: Code | None = Field(description="Null where the case is closed or was received just now.")
    since: AwareDatetime = Field(description="Since when it has been in this stage and waiting on this.")
    due: DueView | None
    outcome: Code | None = Field(description="Null while the case is open.")
    reason: Code | None = Field(description="The rule or limit behind the outcome.")
    work_permit: Code | None
    authorized_until: AwareDatetime | None = Field(
        description="The first instant after the last day of the travel authorization; null while it is paused."
    )
    paroled_until: date | None = Field(description="The last day of parole.")
    facts: dict[str, Any] = Field(description="What else the programme's family shows of a case, in its own words.")


class EventView(BaseModel):
    """One event, without its personal data."""

    type: str = Field(examples=["TravelAuthorized"])
    version: int = Field(description="Its place in the case, from 1.")
    event_id: str = Field(examples=["VEN-7Q4K-M2XS:8"])
    happened_at: AwareDatetime
    recorded_at: AwareDatetime
    actor: str = Field(description="Who caused it: a sender, or a role and a staff reference; never a name.")
    proof: str = Field(
        description="By what that was known: a key, a token, a partner's signed answer, a command, the clock, or none.",
        examples=["key:vetting:5f3a91c2"],
    )
    received_at: AwareDatetime | None = Field(description="When the message it answers came in; null for a limit.")
    facts: dict[str, Any] = Field(description="What the event says that is not personal.")


class EventsView(BaseModel):
    """Events of a case, in order."""

    events: list[EventView]
    next_after: int | None = Field(description="Give it as `after` to read on; null where there are no more.")


@router.get(
    "/v1/cases/{case_id}",
    summary="Where a case stands",
    responses=documented(*UNKNOWN_CALLER, "too-many-messages", "unknown-case", "malformed"),
    openapi_extra=READS_STATUS.documented,
)
async def show_case(deps: Deps, case_id: CasePath, caller: Annotated[Caller | None, Depends(READS_STATUS)]) -> CaseView:
    """The case's stage, whom it waits on, what is due, and its outcome once it has one."""
    await _note_reader(deps, caller, case_id)
    summary = await deps.store.summary(case_id)
    if summary is not None:
        return _view(summary)
    filing = await deps.inbox.next_undecided(case_id)
    if filing is None:
        raise Problem("unknown-case")
    return _received(case_id, filing)


async def _note_reader(deps: GatewayDeps, caller: Caller | None, case_id: CaseId) -> None:
    """Hold the reader to a pace of their own, and keep that they read this case; both are for those with a token."""
    if caller is not None:
        await deps.admit(f"reads:{caller.presented}")
        await deps.note_read(str(caller.presented), case_id)


def _view(summary: CaseSummary) -> CaseView:
    due = None if summary.shown_due is None else DueView(name=summary.shown_due[0], at=summary.shown_due[1])
    facts = summary.facts
    last_day, paroled = facts.get("authorized_last_day"), facts.get("paroled_last_day")
    return CaseView(
        case_id=summary.case_id,
        programme=summary.programme,
        stage=summary.stage,
        waiting_on=summary.waiting_on,
        since=summary.since,
        due=due,
        outcome=summary.outcome,
        reason=summary.reason,
        work_permit=facts.get("work_permit"),
        authorized_until=None if last_day is None else end_of(date.fromisoformat(last_day)).astimezone(UTC),
        paroled_until=None if paroled is None else date.fromisoformat(paroled),
        facts=dict(facts),
    )


def _received(case_id: CaseId, filing: InboxRow) -> CaseView:
    """A filing that no worker has taken yet."""
    return CaseView(
        case_id=case_id,
        programme=filing.programme,
        stage=registry.programme(filing.programme).family.stage_names[0],
        waiting_on=None,
        since=filing.received_at,
        due=None,
        outcome=None,
        reason=None,
        work_permit=None,
        authorized_until=None,
        paroled_until=None,
        facts={},
    )


@router.get(
    "/v1/cases/{case_id}/events",
    summary="What happened in a case",
    responses=documented(*UNKNOWN_CALLER, "too-many-messages", "unknown-case", "malformed"),
    openapi_extra=READS_RECORD.documented,
)
async def list_events(
    deps: Deps,
    case_id: CasePath,
    caller: Annotated[Caller | None, Depends(READS_RECORD)],
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="The version to read on from.")] = 0,
    limit: Annotated[int, Query(ge=1, le=EVENTS_MAX)] = EVENTS_MAX,
) -> EventsView:
    """The case's events in order, each with its facts that are not personal."""
    await _note_reader(deps, caller, case_id)
    stream = await deps.store.load(case_id)
    if not stream.events and await deps.inbox.next_undecided(case_id) is None:
        raise Problem("unknown-case")
    page = [stored for stored in stream.events if stored.version > after][:limit]
    more = bool(page) and page[-1].version < stream.version
    return EventsView(events=[_event(stored) for stored in page], next_after=page[-1].version if more else None)


def _event(stored: Stored) -> EventView:
    public, _ = CODEC.encode(stored.event)
    return EventView(
        type=stored.type,
        version=stored.version,
        event_id=stored.event_id,
        happened_at=stored.happened_at,
        recorded_at=stored.recorded_at,
        actor=stored.actor,
        proof=stored.proof,
        received_at=stored.received_at,
        facts=json.loads(public),
    )
