"""Who runs a command: whoever holds the token in the token file, never a name that was typed in."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cli.errors import UnusableError
from domain.kernel.proof import Proof, claimed
from eventstore.staff import Staff
from gateway.assembly import open_tokens
from gateway.http.problems import Problem
from gateway.identity.tokens import TOKEN_MAX_BYTES
from process.config import Settings

_LOGIN: Final = "sign in with `passage login`"


async def acting(settings: Settings, staff: Staff, *roles: str, file: Path | None = None) -> Proof:
    """The proof of whoever runs this command, in the first of `roles` that they have.

    Without a token an embedded stack alone takes whoever is there, as nobody in particular.

    Raises:
        UnusableError: there is no good token with one of these roles.
    """
    held = file or settings.token_path
    if file is None and not held.exists():
        if settings.unsigned_messages:
            return claimed(roles[0])
        raise UnusableError(f"who are you? {_LOGIN}")
    proof = await proved(settings, staff, read_token(held), *roles)
    return Proof("operator", proof.reference, proof.detail)


async def proved(settings: Settings, staff: Staff, token: str, *roles: str) -> Proof:
    """What a token proves. Raises UnusableError, which says what is wrong with it and nothing of it."""
    async with open_tokens(settings, staff) as tokens:
        try:
            return (await tokens.verify(token, datetime.now(UTC))).require(*roles)
        except Problem as problem:
            raise UnusableError(f"the token is refused ({problem.code}): {_LOGIN}") from None


def read_token(file: Path) -> str:
    """The token in a file that its owner alone may read. Raises UnusableError."""
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise UnusableError(f"{file} can be read by others: chmod 600, and sign in again")
            return opened.read(TOKEN_MAX_BYTES + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise UnusableError(f"{file} holds no token: {_LOGIN}") from None


def write_token(file: Path, token: str) -> None:
    """Keep a token where its owner alone may read it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = file.with_suffix(".new")
    begun.unlink(missing_ok=True)
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
        new.write(token + "\n")
    begun.replace(file)
