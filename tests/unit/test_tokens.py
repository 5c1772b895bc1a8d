"""Who a token is believed to be: what its issuer signed, for us, now; and nothing that merely looks like it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from domain.kernel.proof import Proof
from gateway.http.problems import KINDS, Problem
from gateway.identity.token_keys import read_key_set
from gateway.identity.tokens import LEEWAY_S, LIFETIME_MAX_S, TOKEN_MAX_BYTES, Caller, Tokens

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER, AUDIENCE = "https://id.example/realms/officers", "passage"
KEYS: dict[str, Key] = {
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed-new"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
}
PUBLISHED = json.dumps({"keys": [key.as_dict(private=False) for key in KEYS.values()]}).encode()
STRANGER = ECKey.generate_key("P-256", {"kid": "ec"})


async def find_key(key_id: str, algorithm: str) -> Key | None:
    return read_key_set(PUBLISHED).get((key_id, algorithm))


async def reference_of(issuer: str, subject: str) -> str:
    assert issuer == ISSUER
    return f"s-{subject.casefold()}"  # as the table keeps them


TOKENS = Tokens(ISSUER, AUDIENCE, find_key, reference_of, required=True)


def claims(**changed: Any) -> dict[str, Any]:
    begun = int(NOW.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "o-1", "exp": begun + 600, "nbf": begun, "roles": ["officer"]}
    return {name: value for name, value in (good | changed).items() if value is not ...}


def encoded(document: Any) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(said: Any, algorithm: str = "ES256", key: Key | None = None, **header: Any) -> str:
    by = key or KEYS[algorithm]
    whole = {"alg": algorithm, "kid": by.kid, "typ": "at+jwt", **header}
    start = f"{encoded({n: v for n, v in whole.items() if v is not ...})}.{encoded(said)}"
    signature = jws.JWSRegistry.algorithms[algorithm].sign(start.encode(), by)
    return f"{start}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def refused(token: str, now: datetime = NOW) -> str:
    with pytest.raises(Problem) as caught:
        await TOKENS.verify(token, now)
    assert caught.value.status == 401
    return caught.value.code


@pytest.mark.parametrize("algorithm", KEYS)
async def test_what_the_issuer_signed_is_believed(algorithm: str) -> None:
    caller = await TOKENS.verify(signed(claims(), algorithm), NOW)
    assert caller == Caller("o-1", frozenset({"officer"}), "s-o-1")
    assert caller.require("auditor", "officer") == Proof("token", "s-o-1", "officer")


async def test_it_is_believed_again_until_it_expires() -> None:
    token = signed(claims())
    for seconds in (0, 1, 599, 600 + LEEWAY_S - 1):
        assert (await TOKENS.verify(token, NOW + timedelta(seconds=seconds))).subject == "o-1"
    assert await refused(token, NOW + timedelta(seconds=600 + LEEWAY_S)) == "token-expired"


async def test_it_is_not_believed_before_its_time() -> None:
    later = claims(nbf=int(NOW.timestamp()) + 60)
    assert await refused(signed(later)) == "token-not-yet-valid"
    await TOKENS.verify(signed(later), NOW + timedelta(seconds=60 - LEEWAY_S))


async def test_roles_that_mean_nothing_here_are_passed_over() -> None:
    caller = await TOKENS.verify(signed(claims(roles=["officer", "admin", "partner:vetting", "partner:x"])), NOW)
    assert caller.roles == {"officer", "partner:vetting"}
    assert (await TOKENS.verify(signed(claims(roles=...)), NOW)).roles == frozenset()


async def test_an_audience_is_one_of_several() -> None:
    await TOKENS.verify(signed(claims(aud=["other", AUDIENCE])), NOW)
    assert await refused(signed(claims(aud=["other"]))) == "token-audience-wrong"
    assert await refused(signed(claims(aud="passage-test"))) == "token-audience-wrong"


async def test_another_issuer_is_another() -> None:
    assert await refused(signed(claims(iss="https://id.example/realms/applicants"))) == "token-issuer-wrong"


async def test_what_another_key_signed_is_refused() -> None:
    assert await refused(signed(claims(), key=STRANGER)) == "token-wrong"
    head, _, mark = signed(claims()).split(".")
    assert await refused(f"{head}.{encoded(claims(sub='o-2'))}.{mark}") == "token-wrong"
    assert await refused(f"{head}.{encoded(claims())}.") == "token-wrong"


async def test_nothing_is_said_of_the_claims_to_who_holds_no_token_of_the_issuer() -> None:
    for said in (claims(iss="other"), claims(aud="other"), claims(exp=1), b"not json"):
        assert await refused(signed(said, key=STRANGER)) == "token-wrong"


async def test_a_key_is_used_with_its_own_algorithm_alone() -> None:
    assert await refused(signed(claims(), "RS256", kid="ec")) == "token-key-unknown"
    assert await refused(signed(claims(), kid="nobody")) == "token-key-unknown"


async def test_unsigned_is_malformed() -> None:
    for name in ("none", "None", "NONE", ""):
        assert await refused(f"{encoded({'alg': name, 'kid': 'ec'})}.{encoded(claims())}.") == "token-malformed"


async def test_a_public_key_is_no_secret() -> None:
    """The oldest trick: HMAC with the key that everybody may read, in whatever form the verifier might hold it."""
    public = KEYS["RS256"].raw_value.public_key()  # type: ignore[union-attr]  # an RSA key
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(KEYS["RS256"].as_dict(private=False)).encode(),
    ]
    for form in forms:
        for algorithm in ("HS256", "HS384", "HS512"):
            secret = OctKey.import_key(base64.urlsafe_b64encode(form).decode(), {"kid": "rsa"})
            for kid in ("rsa", "ec"):
                assert await refused(signed(claims(), algorithm, secret, kid=kid)) == "token-malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": ...},
        {"kid": ""},
        {"kid": 7},
        {"kid": ["ec"]},
        {"alg": ...},
        {"alg": 256},
        {"alg": {}},
        {"alg": "ES384"},
        {"alg": "PS256"},
        {"typ": "logout+jwt"},
        {"typ": "secevent+jwt"},
        {"typ": "JWT"},  # an ID token
        {"typ": ...},
        {"typ": 1},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
    ],
    ids=str,
)
async def test_a_header_that_is_not_as_it_must_be_is_malformed(header: dict[str, Any]) -> None:
    assert await refused(signed(claims(), **header)) == "token-malformed"


@pytest.mark.parametrize("kind", ["at+jwt", "application/AT+JWT"])
async def test_an_access_token_has_a_type_of_one_of_these(kind: str) -> None:
    await TOKENS.verify(signed(claims(), typ=kind), NOW)


@pytest.mark.parametrize(
    "changed", [{}, {"iat": NOW.timestamp()}, {"iat": NOW.timestamp() + 40 * 365 * 86400}], ids=str
)
async def test_a_token_that_lives_for_years_is_refused(changed: dict[str, Any]) -> None:
    a_day, years = NOW.timestamp() + LIFETIME_MAX_S, NOW.timestamp() + 100 * 365 * 86400
    await TOKENS.verify(signed(claims(exp=a_day)), NOW)
    assert await refused(signed(claims(exp=years, **changed))) == "token-lives-too-long"


async def test_two_spellings_of_a_subject_are_one_person() -> None:
    first, second = [await TOKENS.verify(signed(claims(sub=sub)), NOW) for sub in ("o-1", "O-1")]
    assert first == second


async def test_staff_must_have_signed_in_as_the_deployment_wants_and_services_need_not() -> None:
    strict = replace(TOKENS, acr=frozenset({"phr"}))
    await strict.verify(signed(claims(acr="phr")), NOW)
    await strict.verify(signed(claims(roles=["intake"])), NOW)
    for changed in ({}, {"acr": "pwd"}):
        with pytest.raises(Problem) as caught:
            await strict.verify(signed(claims(**changed)), NOW)
        assert caught.value.code == "token-acr-insufficient"


async def test_a_token_whose_holder_signed_out_is_refused() -> None:
    out = signed(claims())

    async def signed_out(token: str) -> bool:
        return token == out

    with pytest.raises(Problem, match="token-revoked"):
        await replace(TOKENS, is_revoked=signed_out).verify(out, NOW)


async def test_a_key_or_an_address_in_the_token_is_not_looked_at() -> None:
    own: dict[str, Any] = {"jwk": STRANGER.as_dict(private=False), "jku": "http://127.0.0.1:1/", "x5c": ["MII"]}
    assert await refused(signed(claims(), key=STRANGER, **own)) == "token-wrong"
    await TOKENS.verify(signed(claims(), **own), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": ...},
        {"sub": "ana.rojas@example.org"},
        {"sub": "Ana Rojas"},
        {"sub": "x" * 200},
        {"sub": 7},
        {"exp": ...},
        {"exp": "1777777777"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"nbf": "now"},
        {"iss": ...},
        {"aud": ...},
        {"aud": 7},
        {"aud": [7]},
        {"roles": "officer"},
        {"roles": [7]},
        {"roles": {"officer": True}},
        {"roles": ["r"] * 300},
    ],
    ids=str,
)
async def test_claims_that_are_not_as_they_must_be_are_malformed(changed: dict[str, Any]) -> None:
    assert await refused(signed(claims(**changed))) == "token-malformed"


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"null", b"\xff", b"[" * 5000, b"{"], ids=repr)
async def test_a_payload_that_holds_no_claims_is_malformed(payload: bytes) -> None:
    assert await refused(signed(payload)) == "token-malformed"


async def test_what_is_too_large_is_not_even_looked_at() -> None:
    token = signed(claims(more="x" * TOKEN_MAX_BYTES))
    assert len(token) > TOKEN_MAX_BYTES
    assert await refused(token) == "token-malformed"
    assert await refused("." * (TOKEN_MAX_BYTES + 1)) == "token-malformed"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", "W10.W10.", f"{encoded(b'[' * 5000)}.a.b"])
async def test_what_is_no_token_is_malformed(token: str) -> None:
    assert await refused(token) == "token-malformed"


async def test_what_is_said_of_a_token_repeats_nothing_of_it() -> None:
    for token in (signed(claims(sub="Canaria Quetzal")), signed(claims(), kid=["Canaria"]), "Canaria.Quetzal.x"):
        with pytest.raises(Problem) as caught:
            await TOKENS.verify(token, NOW)
        assert "Canaria" not in f"{caught.value.detail}{caught.value.faults}"
        assert caught.value.__cause__ is None


@given(st.binary(max_size=120), st.binary(max_size=120), st.binary(max_size=80), st.integers(0, 7))
async def test_no_bytes_are_anything_but_refused(header: bytes, payload: bytes, mark: bytes, kept: int) -> None:
    good = signed(claims()).split(".")
    parts = [good[i] if kept & 1 << i else encoded(made) for i, made in enumerate((header, payload, mark))]
    if parts == good:
        return
    assert await refused(".".join(parts)) in KINDS
