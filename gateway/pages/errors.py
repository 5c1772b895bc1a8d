"""A page in place of a problem document: what went wrong, and how to go on. An unknown caller is asked to sign in."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from domain import registry
from gateway.deps import GatewayDeps
from gateway.http.problems import KINDS, Problem
from gateway.pages.frame import page
from gateway.pages.views import PREFIX, root
from gateway.pages.visitors import Visitor, form_key_of, remember


def is_page(request: Request) -> bool:
    """Whether the request is for a page."""
    path: str = request.scope["path"]  # `request.url` fails on an address that is not valid
    return path.startswith(PREFIX)


def error_page(request: Request, problem: Problem) -> Response:
    """The problem as a page, with its status and its headers."""
    deps: GatewayDeps = request.app.state.deps
    title = KINDS[problem.code].title
    said = problem.detail or title
    partner = next((name for name in registry.senders() if request.path_params.get("partner") == name), None)
    if partner is None or problem.status not in (401, 403):
        again = request.url.path if problem.status in (429, 500, 503) and request.method == "GET" else None
        found = page("error.html", title, problem.status, said=said, code=problem.code, again=again)
        return _with_headers(found, problem)
    stranger = Visitor(partner, None, form_key_of(request, deps), by_cookie=False)
    response = page(
        "sign_in.html",
        "Sign in",
        problem.status,
        said=None if problem.code == "token-missing" else said,
        code=problem.code,
        partner=partner,
        root=root(partner),
        mark=stranger.form_mark,
    )
    remember(response, deps, "form", stranger.form_key)
    return _with_headers(response, problem)


def _with_headers(response: HTMLResponse, problem: Problem) -> HTMLResponse:
    headers = problem.response().headers
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in headers:
            response.headers[name] = headers[name]
    return response
