"""`POST /v1/boarding-checks`: may this person board? Answered at once, from Postgres alone.

Each answer is noted for the access stream, with the carrier it is given to, before it is sent. The case itself records
nothing. The relay turns the notes into events (`relay/maintenance.py`).
"""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from cases.inbound.wire import BoardingQuestion, read_as
from domain import registry
from domain.kernel.family import Family
from domain.kernel.ids import CaseId, Code
from eventstore.access import NotedCheck
from gateway.deps import Deps, GatewayDeps
from gateway.http.body import read_body
from gateway.http.openapi import body_of
from gateway.http.parameters import Metrics
from gateway.http.problems import Problem, documented
from gateway.identity.callers import CHECKS_BOARDING, UNKNOWN_CALLER
from gateway.identity.tokens import Caller

router = APIRouter(tags=["boarding"])

ENDING_PROGRAMME_KINDS: Final = frozenset({"programme.suspended", "programme.terminated"})


class BoardingReply(BaseModel):
    """The answer holds at the moment it was given, and no longer."""

    case: CaseId = Field(examples=["VEN-7Q4K-M2XS"])
    answer: Code = Field(
        description="`ok`: may board. `expired`: the authorization is over. `held`: not now; it may be lifted, or "
        "decided in a moment. `revoked`: it was withdrawn. `none`: there is no authorization, or it has been used."
    )
    checked_at: AwareDatetime


class _Found(NamedTuple):
    programme: str
    answer: Code


@router.post(
    "/v1/boarding-checks",
    summary="Ask whether somebody may board",
    responses=documented(
        *UNKNOWN_CALLER,
        "too-many-messages",
        "unknown-case",
        "too-slow",
        "too-large",
        "unsupported-media-type",
        "malformed",
        "not-json",
    ),
    openapi_extra={**body_of(BoardingQuestion), **CHECKS_BOARDING.documented},
)
async def check_boarding(
    request: Request, deps: Deps, metrics: Metrics, caller: Annotated[Caller | None, Depends(CHECKS_BOARDING)]
) -> BoardingReply:
    """Answer a carrier at once. `ok` takes into account every message that was received before the question.

    Every answer is recorded, with its time and the carrier it was given to.
    """
    body = await read_body(request)
    carrier = CHECKS_BOARDING.sender_of(caller, "carrier")
    await deps.admit(f"carrier:{carrier}")
    question = read_as(BoardingQuestion, body)
    found = await _answer(deps, question.case)
    reply = BoardingReply(case=question.case, answer=found.answer, checked_at=deps.now())
    noted = NotedCheck(
        programme=found.programme,
        carrier=str(CHECKS_BOARDING.proof_of(caller, "carrier")),
        case_id=reply.case,
        answer=reply.answer,
        checked_at=reply.checked_at,
    )
    await deps.store.access.note_check(noted)
    metrics.boarding.labels(reply.answer).inc()
    return reply


def _boarded(case_id: CaseId) -> Family:
    try:
        return registry.family_of(case_id)
    except registry.UnknownProgramme:
        raise Problem("unknown-case") from None


async def _answer(deps: GatewayDeps, case_id: CaseId) -> _Found:
    # The undecided messages are read before the case. In the other order, a revocation decided between the two reads
    # would be seen by neither.
    family = _boarded(case_id)
    pending = await deps.inbox.has_undecided(case_id, family.ending_kinds)
    case = await deps.cases.case(case_id)
    if not case.filed:
        filed = await deps.inbox.next_undecided(case_id) or await deps.store.summary(case_id)  # or decided just now
        if filed is None:
            raise Problem("unknown-case")
        return _Found(filed.programme, "none")
    pending = await deps.inbox.has_undecided(case.programme, ENDING_PROGRAMME_KINDS) or pending
    programme = await deps.cases.programme(case.programme)
    may_travel = family.may_travel
    answer = may_travel(case, programme, deps.cases.rules_of(case, programme), deps.now()) if may_travel else "none"
    return _Found(case.programme, "held" if answer == "ok" and pending else answer)
