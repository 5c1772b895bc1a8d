"""Whatever a partner sends, the readers say yes or name a problem; nothing else ever comes out."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cases.inbound.faults import BodyRefused
from cases.inbound.wire import PartnerName, read_filing, read_message
from domain import registry
from gateway.http.examples import FILING, MESSAGES
from gateway.http.problems import Problem

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["2022-11-02T04:00:00-05:00", ""])
)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [path]
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(found for step, child in steps for found in places(child, (*path, step)))]


def with_changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    whole = {"it": copy.deepcopy(document)}
    inside: Any = whole
    for step in ("it", *path)[:-1]:
        inside = inside[step]
    inside[("it", *path)[-1]] = value
    return whole["it"]


@st.composite
def nearly(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """A good body with one place changed."""
    path = draw(st.sampled_from(places(document)))
    return json.dumps(with_changed(document, path, draw(DOCUMENTS)), ensure_ascii=draw(st.booleans())).encode(
        "utf-8", "surrogatepass"
    )


def status_of(read: Callable[[], object]) -> int:
    try:
        read()
    except BodyRefused as refused:
        return Problem.of(refused).response().status_code
    return 202


@given(st.binary(max_size=200), st.sampled_from(registry.senders()))
def test_any_bytes(raw: bytes, partner: PartnerName) -> None:
    assert status_of(lambda: read_message(raw, partner)) in (202, 403, 422)


@given(st.data(), st.sampled_from(sorted(MESSAGES)), st.sampled_from(registry.senders()))
def test_any_message_with_one_place_changed(data: st.DataObject, name: str, partner: PartnerName) -> None:
    raw = data.draw(nearly(dict(MESSAGES[name])))
    assert status_of(lambda: read_message(raw, partner)) in (202, 403, 422)


@given(st.data())
def test_any_application_with_one_place_changed(data: st.DataObject) -> None:
    raw = data.draw(nearly(dict(FILING)))
    assert status_of(lambda: read_filing(raw)) in (202, 422)
