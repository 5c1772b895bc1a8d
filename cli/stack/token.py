"""`passage token`: a token of the embedded stack's own issuer, for whoever tries the gateway by hand."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from cli.errors import UnusableError
from gateway.identity.tokens import ROLES, Subject
from process.config import load_settings
from stack.token_issuer import issue_token

MINUTES_MAX: Final = 12 * 60
"""A working day: whoever finds it in a shell's history the day after has nothing."""
_SUBJECT: Final = "Who it is for: a staff reference such as o-1, never a name."


def token(
    role: Annotated[list[str], typer.Option(help="What it may do, once or several times.")],
    subject: Annotated[str, typer.Option(help=_SUBJECT)],
    minutes: Annotated[int, typer.Option(min=1, max=MINUTES_MAX, help="How long it is good.")] = 60,
) -> None:
    """Print a token for the running embedded stack, to be sent as `Authorization: Bearer`."""
    unknown = sorted(set(role) - ROLES)
    if unknown:
        raise UnusableError(f"there is no role {unknown[0]}: there are {', '.join(sorted(ROLES))}")
    try:
        TypeAdapter(Subject).validate_python(subject)
    except ValidationError:
        raise UnusableError("a subject is a reference of letters, digits and ._:|- such as o-1, never a name") from None
    settings = load_settings()
    if settings.token_signing_key is None:
        raise UnusableError("no issuer of our own: start the embedded stack, or ask the issuer of your deployment")
    made = issue_token(
        settings.token_signing_key,
        subject=subject,
        roles=role,
        audience=settings.token_audience,
        at=datetime.now(UTC),
        lifetime=timedelta(minutes=minutes),
    )
    typer.echo(made)
