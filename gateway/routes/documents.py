"""`/v1/cases/{id}/documents/{sha256}`: documents of an applicant, each stored once under the hash of its bytes.

Every reader is recorded before the document is sent.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Literal, get_args

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from domain.access import ReasonCode
from domain.kernel.ids import CaseId
from eventstore.documents import DOCUMENT_MAX_BYTES, DOCUMENTS_MAX, NewDocument, TooManyDocuments
from eventstore.inbox import UnknownStream
from eventstore.postgres.documents import PostgresDocuments
from eventstore.viewing import Seen, Viewer, record_view
from gateway.deps import Deps, GatewayDeps
from gateway.http.parameters import CasePath
from gateway.http.problems import Problem, documented
from gateway.identity.callers import UNKNOWN_CALLER, Needs
from gateway.identity.tokens import Caller

router = APIRouter(tags=["documents"])

SENDS: Final = Needs("intake", "officer")
VIEWS: Final = Needs("officer", "auditor")

UPLOAD_TIMEOUT_S: Final = 60.0
"""Enough for 5 MiB at 0.7 Mbit/s, a slow mobile connection."""
UPLOADS_AT_ONCE: Final = 8
"""In one gateway: 40 MiB of content, and twice that during encryption."""
UPLOADS_OF_ONE: Final = 2
"""Of one caller at once, so that no caller takes every place."""
STALLED_S: Final = 10.0
"""An upload of which nothing comes for so long is given up."""
RETRY_UPLOAD_S: Final = 5

MediaType = Literal["application/pdf", "image/jpeg", "image/png"]
"""What cameras and scanners produce, and nothing that a viewer would execute."""

_SIGNATURES: Final[dict[MediaType, bytes]] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}

Hash = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the document's bytes, in lower-case hexadecimal.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]
Because = Annotated[ReasonCode, Query(description="Why it is read: a code, which is recorded.", examples=["referral"])]


class DocumentTaken(BaseModel):
    """A document was stored."""

    case: CaseId = Field(examples=["VEN-7Q4K-M2XS"])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    media_type: MediaType
    size_bytes: int = Field(examples=[184_320])


def _binary(text: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary", "maxLength": DOCUMENT_MAX_BYTES}
    return {kind: {"schema": schema, "example": text} for kind in get_args(MediaType)}


@router.put(
    "/v1/cases/{case_id}/documents/{sha256}",
    status_code=201,
    summary="Store a document",
    responses={
        200: {"model": DocumentTaken, "description": "The case already had it."},
        **documented(
            *UNKNOWN_CALLER,
            "too-many-messages",
            "unknown-case",
            "too-slow",
            "too-many-documents",
            "personal-data-erased",
            "document-too-large",
            "document-media-type",
            "document-hash-differs",
            "malformed",
        ),
    },
    openapi_extra={**SENDS.documented, "requestBody": {"required": True, "content": _binary("%PDF-1.7 …")}},
)
async def put_document(
    request: Request,
    response: Response,
    deps: Deps,
    caller: Annotated[Caller | None, Depends(SENDS)],
    case_id: CasePath,
    sha256: Hash,
) -> DocumentTaken:
    """Store a document of a case: PDF, JPEG or PNG, at most 5 MiB, at most 20 a case. Sending it again changes nothing.

    It is encrypted under the case's key and erased with the case. Applications and evidence refer to it.
    """
    media_type = _media_type_of(request)
    sender = SENDS.sender_of(caller, "applicant")
    await deps.admit(f"documents:{sender}")
    async with _place(request, sender):
        content = await _read(request)
        if not content.startswith(_SIGNATURES[media_type]):
            raise Problem("document-media-type", "The bytes are not of the type that the header says.")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Problem("document-hash-differs")
        new = NewDocument(
            case_id=case_id,
            media_type=media_type,
            content=content,
            received_at=deps.now(),
            sender=str(SENDS.proof_of(caller, "applicant")),
        )
        first = await _kept(_documents(deps), new)
    response.status_code = 201 if first else 200
    response.headers["Location"] = f"/v1/cases/{case_id}/documents/{sha256}"
    return DocumentTaken(case=case_id, sha256=sha256, media_type=media_type, size_bytes=len(content))


@asynccontextmanager
async def _place(request: Request, sender: str) -> AsyncIterator[None]:
    """A place among the uploads of this gateway. Raises `Problem`: `too-many-messages`."""
    counted: Counter[str] = request.app.state.uploads
    if counted[sender] >= UPLOADS_OF_ONE or counted.total() >= UPLOADS_AT_ONCE:
        raise Problem("too-many-messages", retry_after_s=RETRY_UPLOAD_S)
    counted[sender] += 1
    try:
        yield
    finally:
        counted[sender] -= 1
        if not counted[sender]:
            del counted[sender]


def _documents(deps: GatewayDeps) -> PostgresDocuments:
    if deps.documents is None:
        raise Problem("not-found")
    return deps.documents


async def _kept(documents: PostgresDocuments, new: NewDocument) -> bool:
    try:
        return await documents.keep(new)
    except UnknownStream:
        raise Problem("unknown-case") from None
    except TooManyDocuments:
        raise Problem("too-many-documents") from None


def _media_type_of(request: Request) -> MediaType:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    known: tuple[MediaType, ...] = get_args(MediaType)
    for each in known:
        if given == each:
            return each
    raise Problem("document-media-type")


async def _read(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > DOCUMENT_MAX_BYTES:
        raise Problem("document-too-large")
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT_S):
            chunks = aiter(request.stream())
            while (chunk := await asyncio.wait_for(anext(chunks, None), STALLED_S)) is not None:
                body += chunk
                if len(body) > DOCUMENT_MAX_BYTES:
                    raise Problem("document-too-large")
    except TimeoutError:
        raise Problem("too-slow") from None
    return bytes(body)


class DocumentView(BaseModel):
    """A document of a case, without its content."""

    sha256: str
    media_type: str
    size_bytes: int
    received_at: AwareDatetime
    sender: str = Field(description="Who sent it: a reference, never a name.")


class DocumentsView(BaseModel):
    """The documents of a case, oldest first."""

    documents: list[DocumentView] = Field(max_length=DOCUMENTS_MAX)


@router.get(
    "/v1/cases/{case_id}/documents",
    summary="Which documents a case has",
    dependencies=[Depends(VIEWS)],
    responses=documented(*UNKNOWN_CALLER, "too-many-messages", "unknown-case", "personal-data-erased", "malformed"),
    openapi_extra=VIEWS.documented,
)
async def list_documents(deps: Deps, case_id: CasePath) -> DocumentsView:
    """Hash, type and size of each document, and who sent it when, without the content."""
    try:
        found = await _documents(deps).listed(case_id)
    except UnknownStream:
        raise Problem("unknown-case") from None
    return DocumentsView(documents=[DocumentView(**each._asdict()) for each in found])


@router.get(
    "/v1/cases/{case_id}/documents/{sha256}",
    summary="Read a document",
    response_class=Response,
    responses={
        200: {"description": "Its bytes, as they were stored.", "content": _binary("%PDF-1.7 …")},
        **documented(
            *UNKNOWN_CALLER,
            "too-many-messages",
            "unknown-case",
            "unknown-document",
            "personal-data-erased",
            "malformed",
        ),
    },
    openapi_extra=VIEWS.documented,
)
async def view_document(
    deps: Deps, caller: Annotated[Caller | None, Depends(VIEWS)], case_id: CasePath, sha256: Hash, because: Because
) -> Response:
    """The content of a document. The reader, the case and the reason are recorded first."""
    documents = _documents(deps)
    try:
        found = await documents.find(case_id, bytes.fromhex(sha256))
    except UnknownStream:
        raise Problem("unknown-case") from None
    if found is None:
        raise Problem("unknown-document")
    await record_view(
        deps.store.access, Viewer(VIEWS.proof_of(caller, "officer"), because), await _seen(deps, case_id), deps.now()
    )
    headers = {
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(await documents.reveal(found), media_type=found.media_type, headers=headers)


async def _seen(deps: GatewayDeps, case_id: CaseId) -> Seen:
    """The case and its version; 0 if its filing is not decided yet."""
    head = await deps.store.summary(case_id)
    if head is not None:
        return Seen(head.programme, case_id, (await deps.store.load(case_id)).version)
    filing = await deps.inbox.next_undecided(case_id)
    if filing is None:
        raise Problem("unknown-case")
    return Seen(filing.programme, case_id, 0)
