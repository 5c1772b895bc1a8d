"""Calling out: the intent is in the log before the first attempt, and a failed attempt is not lost (decision 6)."""

import structlog
from temporalio import activity
from temporalio.common import RetryPolicy

from activities.contracts import CALL_PARTNER, Call, CallPartner
from activities.failures import FAILURES
from activities.partners.circuit import Partners
from activities.partners.clients import AnyCheck, check_for
from activities.partners.errors import PartnerError, PartnerPaused
from cases.repository import CaseRepository
from domain.application import Application
from domain.case import Case
from domain.ids import CaseId
from eventstore.inbox import InboxRow
from eventstore.port import OpenedCall

_log = structlog.get_logger()


class PartnerRequests:
    """Sends partners the requests that are owed to them."""

    def __init__(self, cases: CaseRepository, partners: Partners) -> None:
        self._cases = cases
        self._partners = partners

    async def ask(self, case: Case, owed: tuple[OpenedCall, ...]) -> tuple[Call, ...]:
        """Try each request of `owed` that was never tried, once; return what no partner has accepted yet.

        A partner that fails here costs the case nothing: `call_partner` goes on beside the workflow's loop.
        """
        left = [call for call in owed if call.attempts > 0 or not await self._accepted(case, call)]
        return tuple([await self._shown(call) for call in left])

    async def _accepted(self, case: Case, call: OpenedCall) -> bool:
        try:
            await self._send(case, call)
        except PartnerPaused:
            return False  # nothing was sent, so the first attempt is still to come
        except PartnerError as error:
            activity.logger.info(
                "partner did not take the request", extra={"code": error.code, "partner": call.partner}
            )
            await self._cases.store.mark_call(call.request_id, accepted=False)
            return False
        return True

    async def _shown(self, call: OpenedCall) -> Call:
        pause = await self._partners.pause(call.partner)
        return Call(
            request_id=call.request_id,
            partner=call.partner,
            silent_since=pause and pause.since,
            paused_until=pause and pause.until,
        )

    async def _send(self, case: Case, call: OpenedCall) -> None:
        await self._partners.call(call.partner, _request(case, call))
        await self._cases.store.mark_call(call.request_id, accepted=True)

    @activity.defn(name=CALL_PARTNER)
    async def call_partner(self, call: CallPartner) -> None:
        """Send one request again, under the same key; nothing where it was answered or became void meanwhile.

        Raises:
            PartnerError: the partner did not take it; its class says whether to try again.
        """
        case_id: CaseId = call.case_id
        case = await self._cases.case(case_id)
        for outstanding in await self._cases.store.outstanding_calls(case_id):
            if outstanding.request_id == call.request_id:
                await self._send_again(case, outstanding)

    async def send_anew(self, case_id: CaseId, request_id: str) -> None:
        """Send a request that its partner took and forgot, under the same key; nothing where it is no longer open.

        Raises `PartnerError`.
        """
        case = await self._cases.case(case_id)
        for request in case.requests:
            if request.request_id == request_id:
                call = OpenedCall(request_id, request.partner)
                await self._partners.call(call.partner, _request(case, call))

    async def _send_again(self, case: Case, call: OpenedCall) -> None:
        try:
            await self._send(case, call)
        except PartnerPaused as paused:
            raise paused.no_sooner_than(_usual_pause_s(activity.info())) from None
        except PartnerError:
            await self._cases.store.mark_call(call.request_id, accepted=False)
            raise


def tell_misdirected(row: InboxRow) -> None:
    """Wake somebody where a partner answered one case with another's request.

    The case rejected it; but a partner that confuses two cases may have confused more.
    """
    request_id = getattr(row.body, "request_id", None)
    if request_id is not None and not request_id.startswith(f"{row.stream}:"):
        code = "partner-misdirected"
        _log.error(
            "an answer names another case's request",
            code=code,
            alarm=FAILURES[code].alarm,
            partner=row.source,
            case_id=row.case_id,
            message_id=row.message_id,
        )


def _usual_pause_s(info: activity.Info) -> float:
    """After how long the caller's own policy would try again: what was not sent is not to be tried more often."""
    policy = info.retry_policy or RetryPolicy()
    first_s, longest = policy.initial_interval.total_seconds(), policy.maximum_interval
    usual_s = first_s * policy.backoff_coefficient ** min(info.attempt - 1, 30)
    return min(usual_s, longest.total_seconds()) if longest else usual_s


def _request(case: Case, call: OpenedCall) -> AnyCheck:
    [requested_at] = [request.at for request in case.requests if request.request_id == call.request_id]
    return check_for(
        call.partner,
        request_id=call.request_id,
        case_id=case.case_id,
        requested_at=requested_at,
        application=_present_facts(case),
    )


def _present_facts(case: Case) -> Application:
    """What was filed, as it is now: a changed passport, another supporter, later evidence."""
    filed = case.require_application()
    return filed.model_copy(
        update={
            "beneficiary": case.require_beneficiary(),
            "supporter": case.supporter or filed.supporter,
            "documents": case.documents,
        }
    )
