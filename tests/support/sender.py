"""Senders of one test on a whole stack: they file, speak and ask again as partners do, and keep what they were told."""

import asyncio
import contextlib
import itertools
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2

from cases.inbound.webhooks import sign
from cases.inbound.wire import PartnerName
from domain.humanitarian_parole.application import Application
from process.config import Settings
from process.key_files import sender_keys
from simulation.demonstration.repeat import application
from simulation.play.client import GatewayClient, Reply
from simulators.app import PassportScripts
from simulators.scripts import PartnerScripts
from tests.support.performance import Ledger, keeping_http

_JUDGED_WITHIN_S = 60
_LOOK_S = 0.05


class Senders:
    """Everybody who writes to a programme. Ids are drawn, so that none was used before."""

    def __init__(self, http: httpx2.AsyncClient, settings: Settings, programme: str, ledger: Ledger) -> None:
        self.http = http
        self.programme = programme
        self.ledger = ledger
        self.mark = secrets.token_hex(4)
        self._keys = sender_keys(settings.sender_keys)
        self._gateway = settings.gateway_url
        self._client = GatewayClient(http, settings.gateway_url, settings.partners_url, self._keys)
        self._number = itertools.count(1)

    def new_id(self) -> str:
        """The id of another message."""
        return f"{self.mark}-{next(self._number)}"

    async def file(self, filed: Application) -> str:
        """File until somebody takes it; the case's id."""
        return await self._client.file(self.new_id(), self.programme, filed.model_dump(mode="json"))

    async def file_and_wait(self, filed: Application) -> str:
        """File, and wait until the case has judged it and asked the registry; the case's id."""
        case_id = await self.file(filed)
        async with asyncio.timeout(_JUDGED_WITHIN_S):
            while not await self._has_been_judged(case_id):  # noqa: ASYNC110  a gateway tells nobody
                await asyncio.sleep(_LOOK_S)
        return case_id

    async def _has_been_judged(self, case_id: str) -> bool:
        response = await self.http.get(f"{self._gateway}/v1/cases/{case_id}")
        return response.is_success and response.json()["waiting_on"] is not None

    async def script(self, persons: Iterable[int], partners: PartnerScripts) -> None:
        """How the simulated partners behave towards these persons."""
        await self._client.script_partners(
            [PassportScripts(passport_number=_passport_number(person), partners=partners) for person in persons]
        )

    async def say(self, by: PartnerName, case_id: str, message: str, **fields: Any) -> Reply:
        """Say something about a case until it is taken, and wait for the answer."""
        return await self._client.send(by, self.new_id(), {"case": case_id, "message": message, **fields})

    async def command_programme(self, message: str, **fields: Any) -> Reply:
        """The governments speak."""
        return await self._client.send("governments", self.new_id(), {"programme": self.programme, "message": message,
                                                                    **fields})  # fmt: skip

    async def post(
        self, by: PartnerName, message_id: str, body: Mapping[str, Any] | bytes, *, signed: bool = True
    ) -> httpx2.Response:
        """Deliver this once, whatever it is, signed or with the signature of something else."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = sign(self._keys[by], message_id, datetime.now(UTC), content if signed else b"{}")
        return await self.http.post(
            f"{self._gateway}/v1/partners/{by}/messages",
            content=content,
            headers={**headers, "Content-Type": "application/json"},
        )

    async def post_application(self, body: Mapping[str, Any] | bytes) -> httpx2.Response:
        """Hand in this once, whatever it is."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Idempotency-Key": self.new_id(), "Content-Type": "application/json"}
        return await self.http.post(f"{self._gateway}/v1/applications", content=content, headers=headers)


def _passport_number(person: int) -> str:
    return application(person).beneficiary.passport.number


@contextlib.asynccontextmanager
async def senders_of(settings: Settings, programme: str) -> AsyncIterator[Senders]:
    """The senders of a programme that is open."""
    ledger = Ledger()
    async with keeping_http(ledger) as http:
        yield Senders(http, settings, programme, ledger)
