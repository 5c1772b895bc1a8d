"""`POST /v1/boarding-checks`: may this person board? Always answered, from Postgres alone, and never recorded."""

from typing import Final

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from domain.boarding import BoardingAnswer, boarding_answer
from domain.ids import CaseId
from gateway.body import read_body
from gateway.callers import CHECKS_BOARDING, UNKNOWN_CALLER
from gateway.deps import Deps, GatewayDeps
from gateway.openapi import body_of
from gateway.parameters import Metrics
from gateway.problems import Problem, documented
from gateway.wire import BoardingQuestion, read_as

router = APIRouter(tags=["boarding"])

ENDING_KINDS: Final = frozenset(
    {
        "sponsor.withdrew",
        "passport.changed",
        "border.irregular_crossing",
        "application.withdrawn",
        "arrival.paroled",
        "arrival.refused",
        "programme.changed",
    }
)
"""Messages after which a case that may travel may no longer: they hold, revoke or use up its authorization.
`programme.changed` because new rules may judge a recorded crossing anew. All others are taken only where travel is
held already, or change nothing about it; a test tries each."""

ENDING_PROGRAMME_KINDS: Final = frozenset({"programme.suspended", "programme.terminated"})


class BoardingReply(BaseModel):
    """The answer holds at the moment it was given, and at no later one."""

    case: CaseId = Field(examples=["VEN-7Q4K-M2XS"])
    answer: BoardingAnswer = Field(
        description="`ok`: may board. `expired`: the authorization is over. `held`: not now; it may be lifted, or "
        "decided in a moment. `revoked`: it was withdrawn. `none`: there is no authorization, or it has been used."
    )
    checked_at: AwareDatetime


@router.post(
    "/v1/boarding-checks",
    summary="Ask whether somebody may board",
    dependencies=[Depends(CHECKS_BOARDING)],
    responses=documented(
        *UNKNOWN_CALLER, "unknown-case", "too-slow", "too-large", "unsupported-media-type", "malformed", "not-json"
    ),
    openapi_extra={**body_of(BoardingQuestion), **CHECKS_BOARDING.documented},
)
async def check_boarding(request: Request, deps: Deps, metrics: Metrics) -> BoardingReply:
    """Answer a carrier at once. `ok` never overlooks a message that was received before the question."""
    question = read_as(BoardingQuestion, await read_body(request))
    answer = await _answer(deps, question.case)
    metrics.boarding.labels(answer).inc()
    return BoardingReply(case=question.case, answer=answer, checked_at=deps.now())


async def _answer(deps: GatewayDeps, case_id: CaseId) -> BoardingAnswer:
    # In this order: what is undecided is looked at first, so that whatever was decided before then is in what is read
    # after it. The other way round, a revocation decided in between would be seen by neither.
    pending = await deps.inbox.has_undecided(case_id, ENDING_KINDS)
    case = await deps.book.case(case_id)
    if not case.filed:
        if await deps.inbox.has_undecided(case_id):
            return "none"
        raise Problem("unknown-case")
    pending = await deps.inbox.has_undecided(case.programme, ENDING_PROGRAMME_KINDS) or pending
    programme = await deps.book.programme(case.programme)
    answer = boarding_answer(case, programme, deps.book.rules_of(case, programme), deps.now())
    return "held" if answer == "ok" and pending else answer
