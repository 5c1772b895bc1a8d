"""Pages from templates, and the headers under which a browser runs and shows nothing but the page itself.

Pages need no script. The templates escape every value.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_STYLE: Final = (resources.files("gateway.pages") / "templates" / "style.css").read_text("utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES: Final = Environment(
    loader=PackageLoader("gateway.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.globals["style"] = Markup(_STYLE)  # noqa: S704  our own file

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
}


def page(template: str, title: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page that `template` makes of `values`."""
    html = _TEMPLATES.get_template(template).render(title=title, **values)
    return HTMLResponse(html, status_code=status, headers=dict(HEADERS))
