"""Auditors, and what they are given: reading, and recording that they did (`eventstore/viewing.py`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from domain.access import AccessEvent, ReasonCode
from domain.kernel.ids import CommandId
from domain.kernel.proof import Proof
from eventstore.access import AccessRecord
from eventstore.keys import KeyStore
from eventstore.postgres.store import PostgresStore
from eventstore.viewing import Viewer

_ROLE: Final = "passage_auditor"
_REASON = TypeAdapter[str](ReasonCode)


@dataclass(frozen=True, slots=True)
class Auditor:
    """Who looks, by what they are known, and why."""

    proof: Proof
    because: str

    def __post_init__(self) -> None:
        """Raises pydantic.ValidationError where the reason is no code."""
        _REASON.validate_python(self.because)

    @property
    def viewer(self) -> Viewer:
        """The auditor as the access stream names them."""
        return Viewer(self.proof, self.because)


@asynccontextmanager
async def opened_access(database_url: str, keys: KeyStore) -> AsyncIterator[PostgresStore]:
    """The event store as an auditor may use it: to read, and to record access. Raises StoreUnavailable."""
    store = await PostgresStore.connect(database_url, keys, connections=1, role=_ROLE)
    try:
        yield store
    finally:
        await store.close()


async def record(store: PostgresStore, auditor: Auditor, programme: str, event: AccessEvent, command_id: str) -> None:
    """Record one event of an auditor's."""
    await store.access.record(
        AccessRecord(
            programme=programme,
            command_id=CommandId(command_id),
            proof=auditor.proof,
            events=(event,),
        )
    )
