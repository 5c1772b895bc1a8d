"""The public keys of the issuer of tokens (RFC 7517), fetched when they are needed and kept for a while.

While the issuer does not answer, the known keys stay valid for at most a day: a key that it withdrew meanwhile must not
be believed for ever.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from gateway.http.problems import Problem

_log = structlog.get_logger()

Algorithm = Literal["EdDSA", "Ed25519", "ES256", "RS256"]
"""The algorithms of tokens, all with key pairs. `Ed25519` is the newer name of `EdDSA` (RFC 9864)."""

KEYS_MAX_BYTES: Final = 64 * 1024
KEYS_MAX: Final = 64
"""An issuer publishes two or three keys of some 500 bytes."""
RSA_BITS: Final = range(2048, 8193)
"""Smaller keys are insecure (RFC 7518, 3.3), larger ones are slow to verify with."""
FETCH_TIMEOUT_S: Final = 5.0
FRESH_S: Final = 600.0
"""After that the keys are fetched again, while requests go on with the known ones."""
KEPT_MAX_S: Final = 86_400.0
PAUSE_S: Final = 10.0
"""Pause between two fetches, so that tokens with invented key ids do not flood the issuer. A key published less than
that before its first use may be refused once; issuers publish theirs hours before."""

FetchKeys = Callable[[], Awaitable[bytes]]
Keys = Mapping[tuple[str, str], Key]
"""By key id and algorithm."""


class KeysUnusable(Exception):
    """The issuer does not answer, or what it publishes is not a key set. The text says which and quotes nothing."""


class IssuerKeys:
    """The keys of one issuer, shared by all requests of a gateway."""

    def __init__(self, fetch: FetchKeys, seconds: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._keys: Keys = {}
        self._fetched_s: float | None = None
        self._tried_s: float | None = None
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str, algorithm: str) -> Key | None:
        """The key; None if the issuer publishes no such key.

        Raises:
            Problem: `issuer-unavailable`: it cannot be determined now whether the key exists.
        """
        key = self._known(key_id, algorithm)
        if key is not None and self._age_s() < FRESH_S:
            return key
        fetching = self._fetch_again()
        if key is None and fetching is not None:
            await asyncio.shield(fetching)  # shared: a request that is cancelled must not cancel it for the others
            key = self._known(key_id, algorithm)
        if key is None and self._failed:
            raise Problem("issuer-unavailable", retry_after_s=int(PAUSE_S))
        return key

    async def close(self) -> None:
        """Cancel a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _known(self, key_id: str, algorithm: str) -> Key | None:
        return self._keys.get((key_id, algorithm)) if self._age_s() < KEPT_MAX_S else None

    def _age_s(self) -> float:
        return float("inf") if self._fetched_s is None else self._seconds() - self._fetched_s

    def _fetch_again(self) -> asyncio.Task[None] | None:
        """The fetch under way, a new one, or None if the last was less than `PAUSE_S` ago."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now_s = self._seconds()
        if self._tried_s is not None and now_s - self._tried_s < PAUSE_S:
            return None
        self._tried_s = now_s
        self._fetching = asyncio.create_task(self._attempt())
        return self._fetching

    async def _attempt(self) -> None:
        try:
            self._keys = read_key_set(await self._fetch())
        except KeysUnusable as error:
            self._failed = True
            helpless = self._age_s() >= KEPT_MAX_S
            tell = _log.error if helpless else _log.warning
            tell("keys of the token issuer cannot be had", why=str(error), alarm=helpless)
        else:
            self._failed, self._fetched_s = False, self._seconds()


async def no_keys(_key_id: str, _algorithm: str) -> Key | None:
    """`IssuerKeys.find` without an issuer."""
    return None


def keys_at(url: str, http: httpx2.AsyncClient) -> FetchKeys:
    """Fetches what is at `url`: `file:`, or what `http` reaches. `http` follows no redirects."""
    if urlsplit(url).scheme == "file":
        file = Path(url2pathname(urlsplit(url).path))
        return lambda: asyncio.to_thread(_read_file, file)
    return lambda: _read_http(url, http)


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(KEYS_MAX_BYTES + 1)
    except OSError as error:
        raise KeysUnusable(f"file cannot be read: {error.strerror}") from None


async def _read_http(url: str, http: httpx2.AsyncClient) -> bytes:
    headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
    found = bytearray()
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S), http.stream("GET", url, headers=headers) as response:
            if response.status_code != httpx2.codes.OK:
                raise KeysUnusable(f"status {response.status_code}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise KeysUnusable("it is compressed")
            async for chunk in response.aiter_bytes():
                found += chunk
                if len(found) > KEYS_MAX_BYTES:
                    break
    except (TimeoutError, httpx2.TimeoutException):
        raise KeysUnusable("no answer in time") from None
    except (OSError, httpx2.TransportError):
        raise KeysUnusable("no connection") from None
    return bytes(found)


def read_key_set(raw: bytes) -> Keys:
    """The keys in `raw` that a token may be signed with; other keys are skipped, as RFC 7517 requires.

    Raises:
        KeysUnusable: too large, not a key set, or without a usable key.
    """
    if len(raw) > KEYS_MAX_BYTES:
        raise KeysUnusable("it is larger than 64 KiB")
    try:
        published = json.loads(raw)["keys"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise KeysUnusable("it is no set of keys") from None
    if not isinstance(published, list) or len(published) > KEYS_MAX:
        raise KeysUnusable("it is no set of at most 64 keys")
    keys: dict[tuple[str, str], Key] = {}
    for each in published:
        if isinstance(each, dict) and isinstance(key_id := each.get("kid"), str):
            for algorithm, key in _usable(each):
                keys.setdefault((key_id, algorithm), key)
    if not keys:
        raise KeysUnusable("no key in it can be used")
    return keys


def _usable(published: Mapping[str, Any]) -> list[tuple[Algorithm, Key]]:
    """The key, for each algorithm that it may be used with: made from its public members only."""
    try:
        if published.get("use", "sig") != "sig" or "verify" not in published.get("key_ops", ["verify"]):
            return []
        only = published.get("alg")
        return [(name, key) for name, key in _imported(published) if only in (None, name) or {only, name} == _EDWARDS]
    except (JoseError, ValueError, TypeError, KeyError):
        return []


def _imported(published: Mapping[str, Any]) -> list[tuple[Algorithm, Key]]:
    match published.get("kty"), published.get("crv"):
        case "OKP", "Ed25519":
            edwards = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": published["x"]})
            return [("EdDSA", edwards), ("Ed25519", edwards)]
        case "EC", "P-256":
            curve = {"kty": "EC", "crv": "P-256", "x": published["x"], "y": published["y"]}
            return [("ES256", ECKey.import_key(curve))]
        case "RSA", None:
            rsa = RSAKey.import_key({"kty": "RSA", "n": published["n"], "e": published["e"]})
            return [("RS256", rsa)] if rsa.public_key.key_size in RSA_BITS else []
        case _:
            return []


_EDWARDS: Final = frozenset({"EdDSA", "Ed25519"})
ALGORITHMS: Final = frozenset[str](get_args(Algorithm))
