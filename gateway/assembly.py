"""Puts the parts of a gateway together from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2

from eventstore.postgres.connections import side_pool
from eventstore.postgres.documents import PostgresDocuments
from eventstore.postgres.operations import PostgresDeliveries, PostgresStatistics
from eventstore.postgres.sealed import PostgresSealedLog
from eventstore.staff import Staff
from gateway.deps import GatewayDeps
from gateway.http.limits import Limits
from gateway.http.protection import Protection
from gateway.http.refusals import Refusals
from gateway.identity.token_keys import IssuerKeys, keys_at
from gateway.identity.tokens import OPEN, IsRevoked, Tokens, digest_of, nothing_revoked
from process.backing import Backing
from process.config import EMBEDDED_ISSUER, ConfigurationError, Settings
from process.key_files import senders_of

SIDE_CONNECTIONS: Final = 4
"""For pages, statistics and documents, which may take seconds and must never hold up a message."""


@asynccontextmanager
async def open_gateway(backing: Backing, settings: Settings) -> AsyncIterator[GatewayDeps]:
    """A gateway that knows its callers, holds them to their rate and scope, and records what it refuses.

    The guard shares the connections of the messages, since each use of it belongs to one. Refusals are written one
    transaction at a time and senders are few, so that a flood of forged messages holds one connection.

    Raises:
        ConfigurationError: the partners' keys cannot be read, or tokens are required and no issuer is named.
        StoreUnavailable: the database cannot be reached.
    """
    guard = backing.store.guard
    async with (
        open_tokens(settings, backing.store.staff, lambda token: guard.token_is_revoked(digest_of(token))) as tokens,
        side_pool(settings.required_database_url, "passage pages", SIDE_CONNECTIONS) as side,
    ):
        yield GatewayDeps(
            cases=backing.cases,
            store=backing.store,
            inbox=backing.inbox,
            clock=backing.clock,
            statistics=PostgresStatistics(side),
            deliveries=PostgresDeliveries(side),
            documents=PostgresDocuments(side, backing.keys),
            sealed_log=PostgresSealedLog(side),
            senders=senders_of(settings),
            tokens=tokens,
            record_refusal=Refusals(guard),
            admit=Limits(guard, settings.sender_rate_per_s, settings.sender_burst),
            was_asked=guard.was_asked,
            note_repeat=guard.note_repeat,
            note_read=guard.note_read,
            revoke=guard.revoke_token,
            protection=Protection(
                local_only=bool(settings.unsigned_messages), trusted_proxies=settings.trusted_networks
            ),
        )


@asynccontextmanager
async def open_tokens(
    settings: Settings, staff: Staff, is_revoked: IsRevoked = nothing_revoked
) -> AsyncIterator[Tokens]:
    """What tokens are believed. Raises `ConfigurationError` when tokens are required and no issuer is named."""
    required = not settings.unsigned_messages
    if settings.token_issuer == EMBEDDED_ISSUER and not settings.embedded_stack:
        raise ConfigurationError(
            "PASSAGE_TOKEN_ISSUER names an embedded stack's issuer, whose key no deployment guards"
        )
    if settings.token_issuer is None or settings.token_keys_url is None:
        if required:
            raise ConfigurationError(
                "no caller could be identified: set PASSAGE_TOKEN_ISSUER and PASSAGE_TOKEN_KEYS_URL"
            )
        yield OPEN
        return
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as http:
        keys = IssuerKeys(keys_at(settings.token_keys_url, http))
        try:
            yield Tokens(
                settings.token_issuer,
                settings.token_audience,
                keys.find,
                staff.reference,
                required,
                frozenset(settings.token_acr),
                is_revoked,
            )
        finally:
            await keys.close()
