"""`passage login`: keeps a token, by which the other commands know who runs them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from cli.errors import UnusableError
from cli.identity import proved, write_token
from cli.reach import Reached, on_the_stack
from gateway.identity.tokens import ROLES, TOKEN_MAX_BYTES, Subject
from process.config import Settings
from stack.token_issuer import issue_token

LIFETIME = timedelta(hours=8)
"""A working day."""


def login(
    subject: Annotated[str | None, typer.Option(help="With an embedded stack: a staff reference such as o-1.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="With an embedded stack: once or several times.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Where to keep the token.", show_default="PASSAGE_TOKEN_FILE")
    ] = None,
) -> None:
    """Sign in. An embedded stack issues the token; of any other issuer it is read from standard input."""

    async def work(stack: Reached) -> None:
        token = _issued(stack.settings, subject, role or []) if subject else _given()
        proof = await proved(stack.settings, stack.backing.store.staff, token, *sorted(ROLES))
        kept = file or stack.settings.token_path
        write_token(kept, token)
        typer.echo(f"Signed in as {proof.reference}; the token is in {kept}.")

    on_the_stack(work)


def _given() -> str:
    token = typer.get_text_stream("stdin").read(TOKEN_MAX_BYTES + 1).strip()
    if not token:
        raise UnusableError("give a token on standard input, or --subject and --role with an embedded stack")
    return token


def _issued(settings: Settings, subject: str, roles: list[str]) -> str:
    unknown = sorted(set(roles) - ROLES)
    if unknown or not roles:
        raise UnusableError(f"--role is one or several of {', '.join(sorted(ROLES))}")
    try:
        TypeAdapter(Subject).validate_python(subject)
    except ValidationError:
        raise UnusableError("a subject is a reference such as o-1, never a name") from None
    if settings.token_signing_key is None:
        raise UnusableError("this stack has no issuer of its own: give a token of its issuer on standard input")
    return issue_token(
        settings.token_signing_key,
        subject=subject,
        roles=roles,
        audience=settings.token_audience,
        at=datetime.now(UTC),
        lifetime=LIFETIME,
    )
