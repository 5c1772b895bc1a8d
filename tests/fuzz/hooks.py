"""What schemathesis is told about Passage beyond the OpenAPI document: who signs, what there is, what a moment is.

Loaded by schemathesis itself (`schemathesis.toml`). Only requests that are meant to be good are led to a case and to
the right partner: what is meant to be bad stays as bad as it was made.
"""

import hashlib
import json
import os
import re
import zlib
from collections import deque
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import schemathesis
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis import Case, HookContext, Response
from schemathesis.auths import GLOBAL_AUTH_STORAGE
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.transport import SerializationContext
from schemathesis.transport.serialization import serialize_binary

from cases.inbound.webhooks import Signer, sign
from cases.inbound.wire import WIRE as KINDS
from cases.inbound.wire import senders_of
from domain.kernel.ids import case_id_from_entropy
from process.key_files import sender_keys
from stack.token_issuer import issue_token

KEYS_VARIABLE: Final = "FUZZ_SENDER_KEYS"
"""The file of what each partner signs with; nothing is signed where it is not set."""
TOKEN_VARIABLE: Final = "FUZZ_TOKEN_KEY"
"""The key of the stack's own issuer of tokens; nobody shows one where it is not set."""
CASES_VARIABLE: Final = "FUZZ_CASES"
"""Cases that were filed, with commas between them."""
OFFICER: Final = "o-17"
PROGRAMME: Final = "venezuela-air"

BEYOND_THE_DOCUMENT: Final = frozenset({"value_error", "nul_character", "int_type"})
"""Faults of what a JSON Schema allows: what validators of the domain refuse (`value_error`: check characters, what
must agree), a NUL character, and a whole number that is written as `63.0`. The document says them in words."""
_OF_A_DOCUMENT: Final = frozenset({"document-hash-differs", "document-media-type"})
"""And that a document is what its address and its first bytes say."""
_ENDING: Final = frozenset({"programme.suspended", "programme.terminated"})
"""After these the programme's cases would take nothing more, and the rest of the run would try nothing."""
_DOCUMENT: Final = "/v1/cases/{case_id}/documents/{sha256}"
_MESSAGES: Final = "/v1/partners/{partner}/messages"
_SIGNED: Final = re.compile(r"/v1/partners/([a-z_]+)/messages")
_IDS: Final = {"webhook-id", "Idempotency-Key"}
_SIGNATURE: Final = {"webhook-timestamp", "webhook-signature"}
_KEPT: Final = 200

_cases: Final = deque[str](filter(None, os.environ.get(CASES_VARIABLE, "").split(",")), maxlen=_KEPT)
_taken: Final = deque[tuple[str, str]](maxlen=_KEPT)
"""Partner and id of messages that were taken, so that their answers can be asked for."""

_documents: Final = deque[tuple[str, str]](maxlen=_KEPT)
"""Case and hash of documents that are kept."""


class KnownCaller(AuthBase):
    """Signs the bytes that are sent, whatever they are, where a partner speaks; anywhere else a token is shown."""

    def __init__(self, keys: Mapping[str, tuple[Signer, ...]], token: str) -> None:
        self._keys = keys
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        partner = _SIGNED.match(request.path_url)
        if partner is None or partner[1] == "officer":
            request.headers["Authorization"] = f"Bearer {self._token}"
            return request
        given = request.headers.get("webhook-id") or request.path_url.partition("/messages/")[2]
        message_id = given if isinstance(given, str) else bytes(given).decode("latin-1")
        if partner[1] not in self._keys or not message_id.isascii():
            return request
        signed = sign(self._keys[partner[1]], message_id, datetime.now(UTC), _bytes_of(request.body or b""))
        request.headers.update({name: signed[name] for name in ("webhook-timestamp", "webhook-signature")})
        return request


def _bytes_of(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    assert isinstance(body, bytes)
    return body


def _a_token() -> str:
    roles = ("intake", "officer", "operator", "auditor", "partner:carrier")
    key = Path(os.environ[TOKEN_VARIABLE])
    return issue_token(
        key, subject=OFFICER, roles=roles, audience="passage", at=datetime.now(UTC), lifetime=timedelta(hours=12)
    )


if KEYS_VARIABLE in os.environ:
    GLOBAL_AUTH_STORAGE.set_from_requests(KnownCaller(sender_keys(Path(os.environ[KEYS_VARIABLE])), _a_token()))

_OFFSETS: Final = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
_DATES: Final = st.dates(date(1900, 1, 2), date(2199, 12, 30))
schemathesis.openapi.format("date", _DATES.map(date.isoformat))
schemathesis.openapi.format(
    "date-time", st.builds(datetime.combine, _DATES, st.times(timezones=_OFFSETS)).map(datetime.isoformat)
)


@schemathesis.hook
def map_case(_: HookContext, case: Case[Any]) -> Case[Any]:
    """A good request, about something that there is, more often than not."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return case
    chance = zlib.crc32(json.dumps([case.path_parameters, case.body], default=str, sort_keys=True).encode())
    if "case_id" in case.path_parameters:
        case.path_parameters["case_id"] = _a_case(chance)
    if KEYS_VARIABLE not in os.environ and chance % 8:
        for header in _SIGNATURE & set(case.headers):
            del case.headers[header]  # a made-up signature is refused by the gateway; without one there is more to try
    for header in _IDS & set(case.headers) if chance % 8 else ():
        case.headers[header] = f"fuzz-{chance:x}"  # the same body, the same id: short ids would soon be taken by others
    if case.operation.path == _DOCUMENT:
        _lead_to_document(case, chance)
    if isinstance(case.body, dict):
        _lead(case.body, chance)
    if case.operation.path == _MESSAGES and isinstance(case.body, dict):
        case.path_parameters["partner"] = _a_partner(case.path_parameters["partner"], case.body, chance)
    elif case.operation.path.startswith(_MESSAGES) and _taken:
        case.path_parameters["partner"], case.path_parameters["message_id"] = _taken[chance % len(_taken)]
    return case


def _lead_to_document(case: Case[Any], chance: int) -> None:
    if case.method == "PUT" and chance % 8:
        case.path_parameters["sha256"] = hashlib.sha256(serialize_binary(case.body)).hexdigest()
    elif case.method == "GET" and _documents:
        case.path_parameters["case_id"], case.path_parameters["sha256"] = _documents[chance % len(_documents)]


@schemathesis.serializer("application/pdf")
def as_it_is(_: SerializationContext, value: Any) -> bytes:
    """The one type of a document that schemathesis does not know to be bytes."""
    return serialize_binary(value)


def _lead(body: dict[str, Any], chance: int) -> None:
    if "officer" in body and chance % 8:
        body["officer"] = OFFICER
    if "case" in body:
        body["case"] = _a_case(chance)
    if "programme" in body and body.get("message") not in _ENDING and chance % 8:
        body["programme"] = PROGRAMME


def _a_case(chance: int) -> str:
    if not _cases or chance % 8 == 0:
        return case_id_from_entropy("VEN", chance.to_bytes(8, "big"))
    return _cases[chance % len(_cases)]


def _a_partner(partner: str, body: dict[str, Any], chance: int) -> str:
    message = str(body.get("message"))
    if message not in KINDS or chance % 8 == 1:
        return partner
    senders = senders_of(message)
    return senders[chance % len(senders)]


@schemathesis.hook
def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
    """Remember what was taken."""
    if response.status_code == 201 and case.operation.path == _DOCUMENT:
        _documents.append((case.path_parameters["case_id"], case.path_parameters["sha256"]))
    if response.status_code != 202:
        return
    if case.operation.path == _MESSAGES:
        _taken.append((case.path_parameters["partner"], response.json()["message_id"]))
    else:
        _cases.append(response.json()["case_id"])


@schemathesis.hook
def filter_failure(_: HookContext, failure: Failure, __: Case[Any], response: Response) -> bool:
    """Whether it is a failure. A refusal of what the document allows is none if the document could not have said so."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (415, 422):
        return True
    if response.json()["code"] in _OF_A_DOCUMENT:
        return False
    codes = {fault["code"] for fault in response.json().get("faults", ())}
    return not codes or not codes <= BEYOND_THE_DOCUMENT
