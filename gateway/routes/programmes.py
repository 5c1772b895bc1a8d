"""`GET /v1/programmes/{id}`: the programme's statistics."""

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from domain.kernel.calendar import month_of
from gateway.deps import Deps
from gateway.http.parameters import ProgrammePath
from gateway.http.problems import Problem, documented
from gateway.identity.callers import READS_STATUS, UNKNOWN_CALLER

router = APIRouter(tags=["programmes"])


class PoolView(BaseModel):
    """A pool of places, which programmes may share."""

    pool: str = Field(examples=["chnv"])
    period: Literal["total", "month"] = Field(description="Whether the places are for good or for each month.")
    places: int = Field(examples=[30000])
    taken: int = Field(description="Places taken by all programmes that draw on it; in the current month if monthly.")


class ProgrammeView(BaseModel):
    """Where a programme stands."""

    programme: str = Field(examples=["venezuela-air"])
    status: Literal["open", "suspended", "terminated"]
    rules_version: str = Field(description="The rule set of cases filed now.", examples=["2022-10-19"])
    pools: list[PoolView] = Field(description="The pools that its places are of.")
    authorized: int = Field(description="Places taken and not freed; of the current month where places are monthly.")
    waiting: int = Field(description="Cases that are ready and have no place yet.")


@router.get(
    "/v1/programmes/{programme}",
    summary="Where a programme stands",
    dependencies=[Depends(READS_STATUS)],
    responses=documented(*UNKNOWN_CALLER, "unknown-programme", "malformed"),
    openapi_extra=READS_STATUS.documented,
)
async def show_programme(deps: Deps, programme: ProgrammePath) -> ProgrammeView:
    """The programme's status, the rules in force, its places, how many are taken, and how many cases wait."""
    found = await deps.statistics.programme(programme, month_of(deps.now()))
    if found is None:
        raise Problem("unknown-programme")
    return ProgrammeView(
        programme=programme,
        status=found.status,
        rules_version=found.rules_version,
        pools=[
            PoolView(pool=each.pool, period=each.period, places=each.places, taken=each.taken) for each in found.pools
        ],
        authorized=found.authorized,
        waiting=found.waiting,
    )
