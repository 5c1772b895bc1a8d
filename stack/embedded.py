"""The embedded stack as one thing: Postgres, Temporal, gateway, relay, worker, and simulated partners if wanted.

A server that the environment names (`PASSAGE_DATABASE_URL`, `TEMPORAL_ADDRESS`) takes the place of the embedded one.
"""

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self, TextIO

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError

from process.bootstrap import migrate_database, register_search_attributes
from process.config import STACK_FILE, Settings, child_environment
from process.temporal import why_away
from stack.errors import StackError
from stack.partner_keys import ensure_partner_keys
from stack.ports import HOST, choose_port
from stack.postgres.database import PostgresService
from stack.probes import answers, polls
from stack.services import PythonService, Service, SideBySide, Step
from stack.state import StackState, forget, lock
from stack.supervisor import Supervisor
from stack.temporal import NAMESPACE, EmbeddedTemporal
from stack.token_issuer import ISSUER, ensure_issuer
from workflows.contracts import CASES_TASK_QUEUE

_INTAKE_STAGE = 4
"""Stopped first: nothing new comes in while the rest drains."""
_SEALER_STAGE = 1
"""It ends after all who write, so that what they wrote is signed before the stack is down."""


class EmbeddedStack:
    """All processes of one data directory. Use as a context manager, or start once and stop once."""

    def __init__(self, settings: Settings, *, simulators: bool = False, fresh: str | None = None) -> None:
        """`settings` are those of the environment alone; the children get them with the addresses chosen here.

        `fresh` names a folder in the data directory that is emptied at each start and holds what this stack keeps, so
        that a demonstration begins anew and what `passage up` keeps beside it stays as it is.
        """
        self._data_dir = settings.data_dir.absolute()
        self._fresh = None if fresh is None else self._data_dir / fresh
        kept = self._fresh or self._data_dir
        keys_dir = settings.keys_dir or kept / "keys"
        own = {"data_dir": kept, "keys_dir": keys_dir.absolute(), "embedded_stack": True, "probe_port": None}
        self._settings = settings.model_copy(update=own)
        self._simulators = simulators
        self._postgres = None if settings.database_url else PostgresService(kept / "postgres")
        self._temporal = None if settings.temporal_is_given else EmbeddedTemporal(kept)
        self._relay_probe = self._sealer_probe = 0
        self._worker_started = datetime.now(UTC)
        self._supervisor: Supervisor | None = None
        self._lock: TextIO | None = None

    async def start(self) -> StackState:
        """Bring everything up and write `stack.json`. Raises StackError; call `stop` even then."""
        if self._settings.unsigned_messages and not self._both_servers_are_ours:
            raise StackError("PASSAGE_UNSIGNED_MESSAGES needs both servers of the embedded stack, and one is named")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = lock(self._data_dir)
        (self._data_dir / STACK_FILE).unlink(missing_ok=True)  # of a run that was killed: its addresses hold no more
        self._supervisor = Supervisor(self._data_dir, self._plan(), changed=lambda: self.state.write(self._data_dir))
        await self._supervisor.start()
        self.state.write(self._data_dir)
        return self.state

    async def failure(self) -> str:
        """Wait until the stack cannot go on, and say why in one line."""
        return await self._running.failure()

    async def stop(self) -> None:
        """Stop everything that `start` started."""
        if self._supervisor is not None:
            await self._supervisor.stop()
            forget(self._data_dir)
        if self._postgres is not None:
            self._postgres.release()
        if self._lock is not None:
            self._lock.close()

    async def __aenter__(self) -> Self:
        """Start; a start that fails is stopped again."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    @property
    def state(self) -> StackState:
        """Where everything is reached, and the process ids of this moment."""
        found = self._settings
        return StackState(
            temporal_address=self._temporal.address if self._temporal else found.temporal["target_host"],
            temporal_ui_url=self._temporal.ui_url if self._temporal else found.temporal_ui_url,
            gateway_url=found.gateway_url,
            partners_url=found.partners_url,
            database_url=self._postgres.owner_url if self._postgres else found.required_database_url,
            keys_dir=str(found.keys_directory),
            sender_keys=None if found.sender_keys is None else str(found.sender_keys),
            embedded_stack=found.embedded_stack,
            unsigned_messages=found.unsigned_messages,
            token_issuer=found.token_issuer,
            token_audience=found.token_audience,
            token_keys_url=found.token_keys_url,
            token_signing_key=None if found.token_signing_key is None else str(found.token_signing_key),
            clock_factor=found.clock_factor,
            clock_server_epoch=found.clock_server_epoch,
            clock_domain_epoch=found.clock_domain_epoch,
            pids=self._running.pids,
        )

    @property
    def _both_servers_are_ours(self) -> bool:
        """Whether nothing here can be a deployment's: only then need nobody prove who they are."""
        return self._postgres is not None and self._temporal is not None

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the stack was not started")
        return self._supervisor

    def _plan(self) -> list[Service | Step | SideBySide]:
        """The servers first, all at once; then our programs, which need both and are told where each other is."""
        postgres = (self._postgres,) if self._postgres else ()
        temporal = (self._temporal,) if self._temporal else ()
        keys = (Step("partners' keys", self._ensure_partner_keys), Step("token issuer", self._ensure_token_issuer))
        servers = SideBySide(
            (
                (*postgres, Step("migrations", self._migrate)),
                (*temporal, Step("search attributes", self._register_search_attributes)),
                keys,
            )
        )
        empty = [Step("an empty folder", self._empty_folder)] if self._fresh else []
        programs = SideBySide(tuple((program,) for program in self._programs()), before=self._choose_ports)
        return [*empty, servers, programs]

    def _programs(self) -> list[Service]:
        """Those first that a case needs first."""
        gateway = PythonService(
            "gateway", "gateway", self._environment, self._gateway_ports, self._gateway_answers, stage=_INTAKE_STAGE
        )
        simulators = PythonService(
            "simulators", "simulators", self._environment, self._simulators_ports, stage=_INTAKE_STAGE
        )
        return [
            PythonService("worker", "worker", self._worker_environment, is_ready=self._worker_polls),
            gateway,
            *([simulators] if self._simulators else []),
            PythonService("relay", "relay", self._relay_environment, self._relay_ports, self._relay_answers),
            PythonService(
                "sealer",
                "audit.log.sealer",
                self._sealer_environment,
                self._sealer_ports,
                self._sealer_answers,
                stage=_SEALER_STAGE,
            ),
        ]

    def _choose_ports(self) -> None:
        """Before any program is started: the simulators are told where the gateway is, the worker where they are."""
        gateway, simulators = choose_port(self._settings.gateway_port), choose_port(self._settings.simulators_port)
        self._set(gateway_host=HOST, gateway_port=gateway, gateway_url=f"http://{HOST}:{gateway}")
        if self._simulators:
            self._set(simulators_host=HOST, simulators_port=simulators, partners_url=f"http://{HOST}:{simulators}")
        self._relay_probe, self._sealer_probe = choose_port(0), choose_port(0)

    def _environment(self) -> Mapping[str, str]:
        return self._environment_with(self._postgres.writer_url if self._postgres else None)

    def _relay_environment(self) -> Mapping[str, str]:
        url = self._postgres.writer_url if self._postgres else None
        return self._environment_with(url, probe_host=HOST, probe_port=self._relay_probe)

    def _sealer_environment(self) -> Mapping[str, str]:
        url = self._postgres.sealer_url if self._postgres else None
        return self._environment_with(url, probe_host=HOST, probe_port=self._sealer_probe)

    def _environment_with(self, database_url: str | None, **changes: object) -> Mapping[str, str]:
        url = self._settings.required_database_url if database_url is None else database_url
        own = self._settings.model_copy(update={"database_url": SecretStr(url), **changes}).environment()
        if self._temporal is None:
            return child_environment(own)
        return child_environment({**own, **self._temporal.client_environment}, without="TEMPORAL_")

    def _gateway_ports(self) -> tuple[int]:
        return (self._settings.gateway_port,)

    def _simulators_ports(self) -> tuple[int]:
        return (self._settings.simulators_port,)

    def _relay_ports(self) -> tuple[int]:
        return (self._relay_probe,)

    def _sealer_ports(self) -> tuple[int]:
        return (self._sealer_probe,)

    def _set(self, **values: object) -> None:
        self._settings = self._settings.model_copy(update=values)

    async def _gateway_answers(self) -> bool:
        return await answers(f"{self._settings.gateway_url}/readyz")

    async def _relay_answers(self) -> bool:
        return await answers(f"http://{HOST}:{self._relay_probe}/readyz")

    async def _sealer_answers(self) -> bool:
        return await answers(f"http://{HOST}:{self._sealer_probe}/readyz")

    async def _empty_folder(self) -> None:
        """What an earlier run left, whose processes have ended by now."""
        if self._fresh is not None and self._fresh.exists():
            await asyncio.to_thread(shutil.rmtree, self._fresh)

    async def _ensure_partner_keys(self) -> None:
        """Everybody here signs; who tries the gateway by hand need not, as long as both servers are our own."""
        if self._settings.partner_keys is None:
            keys = await asyncio.to_thread(ensure_partner_keys, self._settings.data_dir / "partner-keys")
            self._set(
                partner_keys=keys.gateway,
                sender_keys=keys.senders,
                call_keys=keys.calls,
                caller_keys=keys.callers,
            )
        if self._settings.unsigned_messages is None:
            self._set(unsigned_messages=self._both_servers_are_ours)

    async def _ensure_token_issuer(self) -> None:
        """An issuer that the environment names takes the place of our own."""
        if self._settings.token_issuer is None:
            files = await asyncio.to_thread(ensure_issuer, self._settings.data_dir / "token-issuer")
            self._set(
                token_issuer=ISSUER, token_keys_url=files.public_keys.as_uri(), token_signing_key=files.signing_key
            )

    async def _migrate(self) -> None:
        if self._postgres:
            await self._postgres.migrate()
        else:
            await migrate_database(self._settings.required_database_url)

    async def _connect(self) -> Client:
        if self._temporal is None:
            return await Client.connect(**self._settings.temporal)
        return await Client.connect(self._temporal.address, namespace=NAMESPACE)

    async def _register_search_attributes(self) -> None:
        try:
            await register_search_attributes(await self._connect())
        except (RPCError, RuntimeError) as error:
            why = why_away(error)
            raise StackError(f"Temporal does not answer at {self.state.temporal_address}: {why}") from None

    def _worker_environment(self) -> Mapping[str, str]:
        self._worker_started = datetime.now(UTC)
        return self._environment()

    async def _worker_polls(self) -> bool:
        return await polls(await self._connect(), CASES_TASK_QUEUE, self._worker_started)
