"""The master key in a key management service: it wraps and unwraps over HTTP, and never leaves the service.

The requests are those of the transit engine of Vault and OpenBao: `POST <url>/encrypt/<key>` and `<url>/decrypt/<key>`,
where `<url>` is `https://vault.example/v1/transit`. A secret is bound to its key id as associated data.
"""

import base64
import json
from pathlib import Path
from typing import Any, Final

import httpx2

from eventstore.keys import KeysUnavailable

CALL_TIMEOUT_S: Final = 5.0
"""For a whole call. A case's key is then kept in memory for a minute, so few calls are made."""
RESPONSE_MAX_BYTES: Final = 16 * 1024
"""A wrapped key has some 100 bytes; more than this is something else."""


class KmsMasterKey:
    """`MasterKey` over the service. `token_file` is read for each call, so that a renewed token needs no restart."""

    def __init__(self, url: str, key: str, token_file: Path, http: httpx2.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._token_file = token_file
        self._http = http

    async def wrap(self, key_id: str, secret: bytes) -> bytes:  # noqa: D102  # the port says it
        said = await self._call("encrypt", key_id, {"plaintext": _text(secret)})
        return _field(said, "ciphertext").encode()

    async def unwrap(self, key_id: str, wrapped: bytes) -> bytes:  # noqa: D102  # the port says it
        said = await self._call("decrypt", key_id, {"ciphertext": wrapped.decode()})
        try:
            return base64.b64decode(_field(said, "plaintext"), validate=True)
        except ValueError:
            raise KeysUnavailable("the key service answers no base64") from None

    async def _call(self, what: str, key_id: str, fields: dict[str, str]) -> Any:
        body = {**fields, "associated_data": _text(key_id.encode())}
        try:
            token = self._token_file.read_text().strip()
            async with self._http.stream(
                "POST",
                f"{self._url}/{what}/{self._key}",
                json=body,
                headers={"X-Vault-Token": token},
                timeout=CALL_TIMEOUT_S,
            ) as response:
                content = b""
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > RESPONSE_MAX_BYTES:
                        raise KeysUnavailable("the key service answers at length")
        except (httpx2.HTTPError, OSError) as error:
            raise KeysUnavailable(f"the key service does not answer ({type(error).__name__})") from None
        if response.status_code != httpx2.codes.OK:
            raise KeysUnavailable(f"the key service refuses ({response.status_code})")
        try:
            return json.loads(content)
        except ValueError:
            raise KeysUnavailable("the key service answers no JSON") from None


def _field(said: Any, name: str) -> str:
    value = said.get("data", {}).get(name) if isinstance(said, dict) and isinstance(said.get("data"), dict) else None
    if not isinstance(value, str):
        raise KeysUnavailable("the key service answers without what was asked for")
    return value


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
