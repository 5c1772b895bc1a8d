"""What may be said about a simulated partner, and what is refused."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.humanitarian_parole.stages.entry import EntryMatchedAnswer
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from simulators.durations import SCHEMA_PATTERN, format_duration, parse_duration
from simulators.scripts import AGREEABLE, ANSWER_KINDS, PartnerScript, PartnerScripts


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("P3D", 72),
        ("PT1H", 1),
        ("P1DT12H", 36),
        ("P2W", 336),
        ("P1W1D", 192),
        ("PT90M", 1.5),
        ("PT0S", 0),
        ("P1DT1H1M36S", 25.0266666667),
    ],
)
def test_a_duration_has_a_fixed_length(text: str, hours: float) -> None:
    assert re.search(SCHEMA_PATTERN, text)
    assert parse_duration(text) == timedelta(seconds=round(hours * 3600))
    assert parse_duration(format_duration(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["P", "PT", "P1DT", "P1Y", "P1M", "P1.5D", "-P1D", "P-1D", "3D", "P3D ", "p3d", "P3H", "PT3D", "", 3, None]
)
def test_what_has_no_fixed_length_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
    assert not (isinstance(text, str) and re.search(SCHEMA_PATTERN, text))


@pytest.mark.parametrize("text", ["P36526D", "P99999999W", "PT99999999H"])
def test_a_duration_beyond_a_hundred_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than a hundred years"):
        parse_duration(text)


def test_every_answer_of_every_partner_can_be_told() -> None:
    assert len(ANSWER_KINDS) == 11
    for name, kind in ANSWER_KINDS.items():
        [partner] = kind.SENDERS
        needed = {"flags": ["x"]} if "flags" in kind.model_fields else {}
        assert list(told(**{partner: {"answer": name, **needed}}).foreign_answers()) == []


def test_an_answer_of_another_partner_is_named() -> None:
    assert list(told(vetting={"answer": "sponsor.confirmed"}).foreign_answers()) == [("vetting", "sponsor.confirmed")]


def told(**partners: Any) -> PartnerScripts:
    """From plain values, as a scenario's loader has them."""
    return PartnerScripts.model_validate(partners)


def test_the_fields_beside_the_behaviour_are_the_answers() -> None:
    scripts = told(
        entry_records={"answer": "entry.matched", "after": "PT1H", "entered_at": _NOON, "place": "Tapachula"},
        vetting={"answer": "vetting.cleared", "findings": [{"kind": "removal_order", "dated": date(2020, 1, 1)}]},
    )

    assert scripts.entry_records is not None
    assert scripts.entry_records.answer_to("r:1") == EntryMatchedAnswer(
        request_id="r:1", entered_at=_NOON, place="Tapachula"
    )
    assert scripts.vetting is not None
    cleared = scripts.vetting.answer_to("r:2")
    assert isinstance(cleared, VettingClearedAnswer)
    assert cleared.findings[0].dated == date(2020, 1, 1)


_NOON = datetime(2022, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("partner", "behaviour", "where"),
    [
        ("vetting", {"answer": "vetting.hit", "kindd": "x"}, "vetting.says.vetting.hit.kindd"),
        ("vetting", {"answer": "vetting.hit", "kind": 3}, "vetting.says.vetting.hit.kind"),
        ("vetting", {"answer": "vetting.hit", "flags": ["x"]}, "vetting.says.vetting.hit.flags"),
        (
            "vetting",
            {"answer": "vetting.cleared", "findings": [{"kind": "removal_order"}]},
            "vetting.says.vetting.cleared.findings.0.dated",
        ),
        ("vetting", {"answer": "arrival.paroled"}, "vetting.answer"),
        ("vetting", {"after": "P1D"}, "vetting.answer"),
        ("vetting", {"answer": "none", "kind": "x"}, "vetting.kind"),
        ("vetting", {"answer": "vetting.hit", "request_id": "r:1"}, "vetting.request_id"),
        ("vetting", {"answer": "vetting.hit", "message": "vetting.cleared"}, "vetting.message"),
        ("vetting", {"answer": "vetting.hit", "fail": "3"}, "vetting.fail"),
        ("vetting", {"answer": "vetting.hit", "fail": -1}, "vetting.fail"),
        ("vetting", {"answer": "vetting.hit", "fail": True}, "vetting.fail"),
        ("vetting", {"answer": "vetting.hit", "after": 3}, "vetting.after"),
        ("vetting", {"answer": "vetting.hit", "faults": {"loud": 1}}, "vetting.faults.loud"),
        (
            "entry_records",
            {"answer": "entry.matched", "entered_at": _NOON.replace(tzinfo=None)},
            "entry_records.says.entry.matched.entered_at",
        ),
        ("carrier", {"answer": "none"}, "carrier"),
    ],
)
def test_what_is_wrong_is_named(partner: str, behaviour: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as raised:
        told(**{partner: behaviour})

    assert [".".join(map(str, fault["loc"])) for fault in raised.value.errors()] == [where]


def test_a_behaviour_reads_from_json_what_it_wrote() -> None:
    scripts = told(
        vetting={
            "answer": "vetting.cleared",
            "after": "P5DT1S",
            "findings": [{"kind": "removal_order", "dated": date(2020, 1, 1)}],
            "faults": {"slow_s": 0.5, "twice": True},
        },
        entry_records={"answer": "entry.matched", "entered_at": _NOON, "fail": 3},
    )

    again = PartnerScripts.model_validate_json(scripts.model_dump_json(exclude_none=True))

    for partner in ("vetting", "entry_records"):
        before, after = scripts.of(partner), again.of(partner)
        assert before is not None
        assert after is not None
        assert after.answer_to("r:1") == before.answer_to("r:1")
        assert (after.after, after.fail, after.faults) == (before.after, before.fail, before.faults)


def test_json_text_is_as_strict_as_plain_values() -> None:
    with pytest.raises(ValidationError, match="valid string"):
        PartnerScripts.model_validate_json(json.dumps({"vetting": {"answer": "vetting.hit", "kind": 3}}))


def test_the_first_calls_meet_the_faults_in_order_and_later_ones_none() -> None:
    behaviour = PartnerScript.model_validate(
        {"answer": "none", "fail": 2, "faults": {"misdirected": 1, "busy": 2, "malformed": 1, "oversized": 1}}
    )

    assert [behaviour.fault(call) for call in range(1, 10)] == [
        "unavailable",
        "unavailable",
        "busy",
        "busy",
        "malformed",
        "oversized",
        "misdirected",
        None,
        None,
    ]


def test_partners_who_were_told_nothing_say_yes() -> None:
    said = [getattr(AGREEABLE, partner).answer for partner in PartnerScripts.model_fields]

    assert said == ["sponsor.confirmed", "entry.matched", "vetting.cleared", "work_permit.eligible"]
