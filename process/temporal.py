"""Connections to Temporal."""

import secrets

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from process.config import Settings
from workflows.contracts import identity
from workflows.payloads import DATA_CONVERTER


async def connect_temporal(settings: Settings, role: str) -> Client:
    """A client whose payloads cannot hold personal data. The server knows it as `passage-<role>-<random mark>`.

    Raises:
        RuntimeError: no connection; the SDK raises nothing more precise.
    """
    return await Client.connect(
        **settings.temporal, data_converter=DATA_CONVERTER, identity=identity(role, secrets.token_hex(4))
    )


class TemporalConnection:
    """A client that is connected when it is first needed: Temporal may be away when the program starts."""

    def __init__(self, settings: Settings, role: str) -> None:
        self._settings = settings
        self._role = role
        self._client: Client | None = None

    async def client(self) -> Client:
        """The client. Raises `RPCError` while Temporal cannot be reached."""
        if self._client is None:
            try:
                self._client = await connect_temporal(self._settings, self._role)
            except RuntimeError:
                raise RPCError("not connected", RPCStatusCode.UNAVAILABLE, b"") from None
        return self._client


def why_away(error: RPCError | RuntimeError) -> str:
    """A few words on why Temporal cannot be used; the SDK's own text is several lines about the transport."""
    return error.status.name.lower().replace("_", " ") if isinstance(error, RPCError) else "no connection"
