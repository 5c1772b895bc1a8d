"""The stored format: canonical header, hash, chain, and the binding of ciphertext to its place."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from domain.humanitarian_parole.stages.sponsor import SponsorConfirmationRequested, SponsorWithdrew
from eventstore.conflicts import IllegalAppend
from eventstore.format.envelope import NO_HASH, Columns, Envelope, header_of, leaf_hash, moment
from eventstore.format.wrapping import unwrap, wrap
from eventstore.keys import CaseKey
from tests.support.filings import NOON, Writer, filed

KEY = CaseKey("VEN-7Q4K-M2XS", b"k" * 32)
NO_STORE: Any = None
"""Nothing is appended here."""
RECORDED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def rows() -> tuple[Envelope, ...]:
    writer = Writer(NO_STORE, "VEN-7Q4K-M2XS")
    append = writer.of(filed(), SponsorConfirmationRequested(at=NOON, request_id="r1"), SponsorWithdrew(at=NOON))
    return wrap(append, KEY, RECORDED)


def test_the_header_holds_every_column_and_is_canonical() -> None:
    first = rows()[0]
    header = json.loads(first.header)
    plain = set(Columns._fields) - {"public_body", "encrypted_body"}
    assert header.keys() == plain | {
        "public_body_sha256",
        "encrypted_body_sha256",
        "previous_hash",
    }
    assert list(header) == sorted(header)
    assert json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode() == first.header
    assert header["public_body_sha256"] == hashlib.sha256(first.public_body).hexdigest()
    assert header["encrypted_body_sha256"] == hashlib.sha256(first.encrypted_body or b"").hexdigest()
    assert header["recorded_at"] == "2026-01-02T03:04:05.000678Z"
    assert header["message_digest"] == first.message_digest.hex()
    assert (header["proof"], header["received_at"]) == ("none:test", None)


def test_a_row_is_its_columns_and_what_seals_them() -> None:
    assert Envelope._fields == (*Columns._fields, "header", "hash")


def test_the_hash_is_the_rfc_9162_leaf_of_the_header() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"  # its own vector
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()


def test_each_event_is_chained_to_the_one_before() -> None:
    chain = rows()
    previous = [bytes.fromhex(json.loads(row.header)["previous_hash"]) for row in chain]
    assert previous == [NO_HASH, chain[0].hash, chain[1].hash]
    assert all(row.hash == leaf_hash(row.header) for row in chain)


@pytest.mark.parametrize("column", Columns._fields)
def test_no_column_can_change_without_its_header(column: str) -> None:
    row = rows()[0]
    was = getattr(row, column)
    other: Any = was + timedelta(microseconds=1) if isinstance(was, datetime) else (was or "x") * 2
    if column == "received_at":
        other = RECORDED
    assert header_of(row, NO_HASH) == row.header
    assert header_of(row._replace(**{column: other}), NO_HASH) != row.header


def test_ciphertext_reads_nowhere_but_in_its_own_event() -> None:
    row = rows()[0]
    assert unwrap([row], {KEY.key_id: KEY}).events[0].event == filed()
    for moved in (row._replace(version=2), row._replace(stream="VEN-2222-222D"), row._replace(type="SponsorWithdrew")):
        with pytest.raises(InvalidTag):
            unwrap([moved], {KEY.key_id: KEY})


def test_only_personal_events_name_a_key() -> None:
    filing, request, _ = rows()
    assert (filing.key_id, request.key_id, request.encrypted_body) == (KEY.key_id, None, None)


def test_a_personal_event_without_a_key_is_a_defect() -> None:
    writer = Writer(NO_STORE, "VEN-7Q4K-M2XS")
    with pytest.raises(IllegalAppend):
        wrap(writer.of(filed()), None, RECORDED)


def test_a_moment_is_written_in_one_way() -> None:
    assert moment(datetime(2022, 10, 20, 9, tzinfo=timezone(timedelta(hours=-5)))) == "2022-10-20T14:00:00.000000Z"
    assert moment(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
