"""Standard Webhooks signatures against the published vectors, the published package, and everything malformed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from cases.inbound.webhooks import (
    KeyMalformed,
    SignatureRefused,
    Signer,
    Verifier,
    new_key_pair,
    new_shared_key,
    sign,
    verify,
)
from process.config import ConfigurationError
from process.key_files import KEYS_MAX, read_keys

ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PUBLISHED = {
    SHARED: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    PRIVATE: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
}


def refused(timestamp: str | None, signature: str | None, *keys: str, body: bytes = BODY, message_id: str = ID) -> str:
    """Why it is refused; empty where it is taken."""
    try:
        verify([Verifier.parse(key) for key in keys or (SHARED,)], message_id, timestamp, signature, body, AT)
    except SignatureRefused as fault:
        return fault.fault
    return ""


@pytest.mark.parametrize(("key", "signature"), PUBLISHED.items())
def test_it_signs_as_the_published_vectors_say(key: str, signature: str) -> None:
    assert sign([Signer.parse(key)], ID, AT, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": signature,
    }


def test_the_published_package_takes_what_is_signed_here_and_the_other_way_round() -> None:
    key, now = new_shared_key(), datetime.now(UTC)
    theirs = Webhook(key)
    ours = sign([Signer.parse(key)], ID, now, BODY)
    assert theirs.verify(BODY, ours) == {"test": 2432232314}
    signature = theirs.sign(ID, now.replace(microsecond=0), BODY.decode())
    assert verify([Verifier.parse(key)], ID, ours["webhook-timestamp"], signature, BODY, now).scheme == "v1"


@pytest.mark.parametrize(
    ("private", "public"), [(PRIVATE, PUBLIC), (SHARED, SHARED), new_key_pair()], ids=["v1a", "v1", "new"]
)
def test_a_signature_holds_for_its_id_its_moment_and_its_bytes_alone(private: str, public: str) -> None:
    headers = sign([Signer.parse(private)], ID, AT, BODY)
    timestamp, signature = headers["webhook-timestamp"], headers["webhook-signature"]
    assert refused(timestamp, signature, public) == ""
    assert refused(timestamp, signature, public, body=BODY + b" ") == "wrong"
    assert refused(timestamp, signature, public, message_id="msg_other") == "wrong"
    assert refused(str(int(timestamp) + 1), signature, public) == "wrong"
    assert refused(timestamp, signature, new_shared_key()) == "wrong"
    assert refused(timestamp, signature, new_key_pair()[1]) == "wrong"


def test_a_secret_shared_for_one_scheme_is_no_key_of_the_other() -> None:
    assert refused("1614265330", PUBLISHED[SHARED].replace("v1,", "v1a,")) == "malformed"
    assert refused("1614265330", PUBLISHED[PRIVATE].replace("v1a,", "v1,"), PUBLIC) == "malformed"


def test_while_a_key_is_changed_either_key_will_do() -> None:
    old, new = new_shared_key(), new_shared_key()
    both = sign([Signer.parse(old), Signer.parse(new)], ID, AT, BODY)["webhook-signature"]
    for held in ([old], [new], [old, new]):
        assert refused("1614265330", both, *held) == ""
    assert refused("1614265330", sign([Signer.parse(new)], ID, AT, BODY)["webhook-signature"], old, new) == ""


@pytest.mark.parametrize(("off_s", "fault"), [(0, ""), (300, ""), (-300, ""), (301, "stale"), (-301, "stale")])
def test_five_minutes_either_way(off_s: int, fault: str) -> None:
    headers = sign([Signer.parse(SHARED)], ID, AT + timedelta(seconds=off_s), BODY)
    assert refused(headers["webhook-timestamp"], headers["webhook-signature"]) == fault


@pytest.mark.parametrize(
    ("timestamp", "signature", "fault"),
    [
        (None, PUBLISHED[SHARED], "missing"),
        ("1614265330", None, "missing"),
        ("1614265330.0", PUBLISHED[SHARED], "malformed"),
        ("-1614265330", PUBLISHED[SHARED], "malformed"),
        ("nan", PUBLISHED[SHARED], "malformed"),
        ("١٦١٤٢٦٥٣٣٠", PUBLISHED[SHARED], "malformed"),
        ("9" * 5000, PUBLISHED[SHARED], "malformed"),
        ("1614265330", "", "malformed"),
        ("1614265330", "v1", "malformed"),
        ("1614265330", "v1,", "malformed"),
        ("1614265330", "v1,====", "malformed"),
        ("1614265330", "v1,AAAA", "malformed"),
        ("1614265330", "v1,é", "malformed"),
        ("1614265330", " ".join([PUBLISHED[SHARED]] * 9), "malformed"),
        ("1614265330", "v2,whatever", "wrong"),
        ("1614265330", f"v2,whatever {PUBLISHED[SHARED]}", ""),
    ],
)
def test_what_is_not_a_signature(timestamp: str | None, signature: str | None, fault: str) -> None:
    assert refused(timestamp, signature) == fault


@given(st.one_of(st.none(), st.text(), st.from_regex(r"[0-9]{1,12}")), st.text(), st.binary(), st.text())
def test_whatever_is_sent_it_is_refused_and_nothing_else_comes_out(
    timestamp: str | None, signature: str, body: bytes, message_id: str
) -> None:
    given_id = message_id.encode("ascii", "ignore").decode()  # an id is matched against its pattern before
    assert refused(timestamp, signature, SHARED, PUBLIC, body=body, message_id=given_id) != ""


@pytest.mark.parametrize(
    "text",
    ["", "whsec", "whsec_AAAA", "whsec_%", "whpk_AAAA", PRIVATE, "sec_" + SHARED, SHARED.replace("whsec_", "")],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(KeyMalformed) as refusal:
        Verifier.parse(text)
    assert text in ("", "whsec") or text not in str(refusal.value)


def test_a_private_key_that_is_not_its_public_keys_is_refused() -> None:
    with pytest.raises(KeyMalformed):
        Signer.parse(PRIVATE.replace("LlX0dRqSKJp", "LlX0dRqSKJq"))


def test_keys_are_not_in_what_is_printed() -> None:
    assert "MfKQ9r8" not in repr(Verifier.parse(SHARED)) + repr(Signer.parse(SHARED))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"nobody": []}', "an unknown sender"),
        ('{"passage": []}', "an unknown sender"),
        ('{"vetting": []}', "one key, or two"),
        (json.dumps({"vetting": [SHARED] * (KEYS_MAX + 1)}), "one key, or two"),
        ('{"vetting": "whsec_x"}', "one key, or two"),
        ('{"vetting": ["hunter2"]}', "(vetting): a receiver"),
        (json.dumps({"vetting": [SHARED], "border": [SHARED]}), "(vetting): another sender has the same key"),
    ],
)
def test_a_file_of_keys_that_is_none_says_why_in_one_line(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    with pytest.raises(ConfigurationError) as refusal:
        read_keys(file, Verifier.parse)
    assert words in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert SHARED not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_of_keys_that_other_users_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"vetting": [SHARED]}))
    file.chmod(0o600)
    assert set(read_keys(file, Verifier.parse)) == {"vetting"}
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match="open to other users"):
        read_keys(file, Verifier.parse)
