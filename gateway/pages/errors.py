"""A page in place of an answer: what went wrong, and how to go on. Who is not known is asked to sign in."""

from html import escape
from typing import get_args

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from cases.inbound.wire import PartnerName
from gateway.deps import GatewayDeps
from gateway.http.problems import KINDS, Problem
from gateway.pages.frame import page
from gateway.pages.visitors import Visitor, form_key_of, remember

PREFIX = "/partners/"
"""Where pages are."""


def is_page(request: Request) -> bool:
    """Whether whoever asked looks at pages."""
    path: str = request.scope["path"]  # the whole address may not be one
    return path.startswith(PREFIX)


def error_page(request: Request, problem: Problem) -> Response:
    """The problem as a page, with its status and its headers."""
    deps: GatewayDeps = request.app.state.deps
    kind = KINDS[problem.code]
    said = f'<p class="wrong" role="alert">{escape(problem.detail or kind.title)} <code>{problem.code}</code></p>'
    partner = next((name for name in get_args(PartnerName) if request.path_params.get("partner") == name), None)
    if partner is None or problem.status not in (401, 403):
        return _with_headers(page(kind.title, said + _again(request, problem), status=problem.status), problem)
    key = form_key_of(request, deps)
    body = (said if problem.code != "token-missing" else "") + sign_in_form(
        Visitor(partner, None, key, by_cookie=False)
    )
    response = _with_headers(page("Sign in", body, status=problem.status), problem)
    remember(response, deps, "form", key)
    return response


def sign_in_form(stranger: Visitor) -> str:
    """Asks for a token. It is sent in a form's body, never in an address, which logs and histories keep."""
    return (
        f"<p>The deliveries of <strong>{stranger.partner}</strong> are shown to its own people, to operators and to "
        "auditors. Paste an access token of your identity provider; it is kept until you close the browser.</p>"
        f'<form method="post" action="{PREFIX}{stranger.partner}/session">'
        f'<input type="hidden" name="mark" value="{stranger.form_mark}">'
        '<label for="token">Access token</label>'
        '<input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required>'
        "<button>Sign in</button></form>"
    )


def _again(request: Request, problem: Problem) -> str:
    if problem.status not in (429, 500, 503):
        return ""
    address = escape(request.url.path)
    return (
        f'<p>Nothing was changed. <a href="{address}">Try again</a> in a moment.</p>' if request.method == "GET" else ""
    )


def _with_headers(response: HTMLResponse, problem: Problem) -> HTMLResponse:
    told = problem.response().headers
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in told:
            response.headers[name] = told[name]
    return response
