"""`/docs`: the OpenAPI document as a page of our own: nothing in it comes from elsewhere, and nothing in it runs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from gateway.pages.frame import page

router = APIRouter(include_in_schema=False)

_METHODS: Final = ("get", "put", "post")


@router.get("/docs")
async def show_reference(request: Request) -> Response:
    """Every operation, with its parameters, an example of each body, and its answers."""
    document: Mapping[str, Any] = request.app.openapi()
    return page("reference.html", "API", about=document["info"]["description"], operations=list(_operations(document)))


def _operations(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                yield {
                    "name": f"{method.upper()} {path}",
                    "summary": operation["summary"],
                    "description": operation.get("description", ""),
                    "parameters": operation.get("parameters", []),
                    "examples": list(_examples(operation)),
                    "answers": [(status, answer["description"]) for status, answer in operation["responses"].items()],
                }


def _examples(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        given = content.get("examples") or {media_type: {"value": content.get("example")}}
        for name, example in given.items():
            value = example["value"]
            yield name, value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
