"""Encoding and decoding events: a fixed registry, nothing personal in the public body, old versions brought up."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import ValidationError

from domain.humanitarian_parole.stages.sponsor import SponsorNotConfirmed, SponsorWithdrew
from domain.kernel.events import CaseEvent, Personal
from eventstore.format.codec import CODEC, Codec, UnknownEvent
from eventstore.format.upcast import Raw
from tests.support.filings import NOON, filed

CANARY = "Rojas Pérez"


class PortChosen(CaseEvent):
    """An event that had one text field `port`, then two: a code, and a place that is personal."""

    SCHEMA_VERSION: ClassVar[int] = 3

    port: str
    country: str
    place: Annotated[str, Personal(erased="")] = ""


def _split_port(public: Raw, personal: Raw | None) -> tuple[Raw, Raw | None]:
    port, country = public["port"].split("/")
    return {**public, "port": port, "country": country}, personal


def _add_place(public: Raw, personal: Raw | None) -> tuple[Raw, Raw | None]:
    return public, {"place": "unknown", **(personal or {})}


STEPS: dict[tuple[str, int], Any] = {("PortChosen", 1): _split_port, ("PortChosen", 2): _add_place}


def test_personal_fields_are_in_the_personal_body_only() -> None:
    public, personal = CODEC.encode(filed())
    assert personal is not None
    assert CANARY in personal.decode()
    assert CANARY not in public.decode()
    assert b"application" not in public


def test_the_moment_is_a_column_and_not_in_a_body() -> None:
    assert CODEC.encode(SponsorWithdrew(at=NOON)) == (b'{"basis":null,"fact":null}', None)
    decoded = CODEC.decode("SponsorWithdrew", 1, NOON, b"{}", None)
    assert decoded == SponsorWithdrew(at=NOON)


def test_a_moment_with_an_offset_comes_back_as_the_same_moment() -> None:
    event = filed(at=datetime(2022, 10, 20, 9, tzinfo=timezone(timedelta(hours=-5))))
    public, personal = CODEC.encode(event)
    assert CODEC.decode("ApplicationFiled", 1, event.at.astimezone(UTC), public, personal) == event


@pytest.mark.parametrize(("name", "version"), [("Unheard", 1), ("SponsorWithdrew", 2)])
def test_an_unknown_event_is_never_skipped(name: str, version: int) -> None:
    with pytest.raises(UnknownEvent):
        CODEC.decode(name, version, NOON, b"{}", None)


def test_a_body_that_is_not_the_event_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValidationError) as caught:
        CODEC.decode("SponsorNotConfirmed", 1, NOON, b'{"by_officer":false}', b'{"why":["secret canary"]}')
    assert "canary" not in str(caught.value)
    with pytest.raises(ValidationError):
        CODEC.decode("SponsorNotConfirmed", 1, NOON, b'{"by_officer":false,"more":1}', b'{"why":""}')


def test_erased_is_told_from_empty() -> None:
    event = SponsorNotConfirmed(at=NOON, why="")
    public, personal = CODEC.encode(event)
    assert personal == b'{"why":""}'
    assert CODEC.decode("SponsorNotConfirmed", 1, NOON, public, None) == event


def test_old_versions_are_brought_up_one_step_at_a_time() -> None:
    codec = Codec([PortChosen], STEPS)
    oldest = codec.decode("PortChosen", 1, NOON, b'{"port":"MIA/USA"}', None)
    assert oldest == PortChosen(at=NOON, port="MIA", country="USA", place="unknown")
    older = codec.decode("PortChosen", 2, NOON, b'{"port":"MIA","country":"USA"}', b'{"place":"gate 3"}')
    assert older == PortChosen(at=NOON, port="MIA", country="USA", place="gate 3")
    today = PortChosen(at=NOON, port="MIA", country="USA", place="gate 4")
    assert codec.decode("PortChosen", 3, NOON, *codec.encode(today)) == today


def test_a_version_without_a_step_is_noticed_at_once() -> None:
    with pytest.raises(ValueError, match="no upcasting step from version 2"):
        Codec([PortChosen], {("PortChosen", 1): _split_port})
    with pytest.raises(ValueError, match="two events are named"):
        Codec([SponsorWithdrew, SponsorWithdrew], {})
