"""A partner over TLS is believed by the authorities that the deployment names, and by no others."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from fastapi.responses import Response

from activities.partners.clients import CallSecurity, open_partner_clients
from activities.partners.errors import PartnerUnavailable
from process.config import ConfigurationError, Settings
from process.key_files import call_security
from stack.partner_keys import ensure_partner_keys
from stack.ports import HOST, choose_port
from tests.support.partner_calls import CASE_ID


def a_certificate(home: Path, name: str) -> Path:
    """A certificate of this machine that is its own authority, its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = home / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@asynccontextmanager
async def served_over_tls(certificate: Path) -> AsyncIterator[str]:
    app, port = FastAPI(), choose_port(0)
    app.get("/v1/requests/{request_id}")(lambda: Response(status_code=404))
    server = uvicorn.Server(
        uvicorn.Config(app, host=HOST, port=port, ssl_certfile=str(certificate), log_config=None, lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.01)
    yield f"https://{HOST}:{port}"
    server.should_exit = True
    await serving


async def asked(address: str, security: CallSecurity) -> object:
    async with open_partner_clients({"vetting": address}, "https://gateway", security=security) as clients:
        return await clients.status("vetting", f"{CASE_ID}:vetting", CASE_ID)


async def test_a_partner_is_believed_by_the_named_authority_alone(tmp_path: Path) -> None:
    own, foreign = a_certificate(tmp_path, "own"), a_certificate(tmp_path, "foreign")
    files = ensure_partner_keys(tmp_path / "keys")
    settings = Settings(partner_keys=files.gateway, call_keys=files.calls)
    async with served_over_tls(own) as address:
        named = call_security(settings.model_copy(update={"partner_ca_file": own}))
        assert await asked(address, named) == "unknown"
        for other in (settings.model_copy(update={"partner_ca_file": foreign}), settings):
            with pytest.raises(PartnerUnavailable):
                await asked(address, call_security(other))


def test_a_file_without_authorities_says_so_at_the_start(tmp_path: Path) -> None:
    files = ensure_partner_keys(tmp_path / "keys")
    settings = Settings(partner_keys=files.gateway, call_keys=files.calls, partner_ca_file=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match="PASSAGE_PARTNER_CA_FILE"):
        call_security(settings)


def test_certificates_are_checked_whatever_is_named(tmp_path: Path) -> None:
    files = ensure_partner_keys(tmp_path / "keys")
    named = Settings(partner_keys=files.gateway, call_keys=files.calls, partner_ca_file=a_certificate(tmp_path, "own"))
    tls = call_security(named).tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
