"""The issuer of tokens of an embedded stack: a key made at its first start, and tokens for whoever can read it.

It stands in for the identity provider of a deployment, which alone knows who is an officer.
"""

import json
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from joserfc import jwt
from joserfc.jwk import ECKey

from process.config import EMBEDDED_ISSUER

ISSUER: Final = EMBEDDED_ISSUER
LIFETIME: Final = timedelta(hours=1)
"""What an identity provider usually gives an access token."""


class IssuerFiles(NamedTuple):
    """Two files, each readable by its owner alone."""

    signing_key: Path
    """The private key, as one JWK."""
    public_keys: Path
    """What the gateway reads, as a set of one."""


def ensure_issuer(directory: Path) -> IssuerFiles:
    """The issuer in `directory`, made if there is none. May block."""
    files = IssuerFiles(directory / "signing-key.json", directory / "jwks.json")
    if not files.signing_key.exists() or not files.public_keys.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": secrets.token_hex(8)})
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(files.public_keys, {"keys": [key.as_dict(private=False)]})
        _write(files.signing_key, key.as_dict(private=True))
    return files


def issue_token(
    signing_key: Path,
    *,
    subject: str,
    roles: Iterable[str],
    audience: str,
    at: datetime,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A token for `subject`, valid from the machine's moment `at`. May block. Raises OSError or ValueError."""
    key = ECKey.import_key(json.loads(signing_key.read_bytes()))
    begins = int(at.timestamp())
    claims = {
        "iss": ISSUER,
        "sub": subject,
        "aud": audience,
        "iat": begins,
        "nbf": begins,
        "exp": begins + int(lifetime.total_seconds()),
        "jti": secrets.token_hex(8),
        "roles": list(roles),
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, claims, key)


def _write(file: Path, document: dict[str, Any]) -> None:
    begun = file.with_suffix(".new")
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as new:
        json.dump(document, new, indent=2)
        new.flush()
        os.fsync(new.fileno())
    begun.replace(file)
