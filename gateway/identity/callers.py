"""Which roles may use an operation, declared once for the gateway and for the OpenAPI document."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request

from domain.kernel.proof import Proof, claimed
from gateway.deps import Deps
from gateway.http.problems import Problem, ProblemCode
from gateway.identity.tokens import ROLES, Caller

UNKNOWN_CALLER: Final[tuple[ProblemCode, ...]] = (
    "token-missing",
    "token-malformed",
    "token-key-unknown",
    "token-wrong",
    "token-issuer-wrong",
    "token-audience-wrong",
    "token-expired",
    "token-not-yet-valid",
    "token-lives-too-long",
    "token-acr-insufficient",
    "token-revoked",
    "role-missing",
    "issuer-unavailable",
)
"""The problems of an operation that needs a role."""


async def presented(request: Request, deps: Deps) -> Caller | None:
    """The caller, if the request carries a token. A refusal of the request is recorded under their identity.

    Raises:
        Problem: one of `token-…`, or `issuer-unavailable`.
    """
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Problem("token-malformed", "Send exactly one header Authorization: Bearer.")
    caller = await deps.tokens.verify(token.strip(), deps.server_now())
    request.state.identity = caller.presented
    return caller


Presented = Annotated[Caller | None, Depends(presented)]
"""The caller, if the request carries a token."""


class Needs:
    """Requires one of these roles: a FastAPI dependency, and its part of the OpenAPI document.

    Its value is the caller, or None if tokens are not required and the request has none.
    """

    def __init__(self, *roles: str) -> None:
        if not ROLES.issuperset(roles):
            raise ValueError(f"not roles: {set(roles) - ROLES}")
        self.roles = roles

    async def __call__(self, deps: Deps, caller: Presented) -> Caller | None:
        """Raises `Problem`: `token-missing` or `role-missing`."""
        if caller is not None:
            caller.require(*self.roles)
            deps.misses.require_left(str(caller.presented))
        elif deps.tokens.required:
            raise Problem("token-missing")
        return caller

    def proof_of(self, caller: Caller | None, sender: str) -> Proof:
        """By what this caller is known; `sender` is claimed by one without a token, where none is required."""
        return claimed(sender) if caller is None else caller.require(*self.roles)

    def sender_of(self, caller: Caller | None, sender: str) -> str:
        """Whom this is counted as: the same caller whatever the role, or `sender`, claimed by one without a token."""
        return str(claimed(sender) if caller is None else caller.presented)

    @property
    def documented(self) -> dict[str, Any]:
        """`openapi_extra` of the operation: any one of the roles."""
        return {"security": [{"token": [role]} for role in self.roles]}


FILES: Final = Needs("intake")
READS_STATUS: Final = Needs("intake", "officer", "operator", "auditor")
READS_RECORD: Final = Needs("officer", "operator", "auditor")
READS_LOG: Final = Needs("auditor")
CHECKS_BOARDING: Final = Needs("partner:carrier")
