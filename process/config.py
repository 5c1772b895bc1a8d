"""Every setting of every Passage process, read once from the environment and nowhere else.

`PASSAGE_*` variables win; missing ones are taken from `stack.json` of a running embedded stack, so that a second
terminal finds it by itself. Temporal's own address, TLS, API key and namespace come from
`temporalio.envconfig` (`TEMPORAL_*` variables or its TOML file), the way of every Temporal tool.
"""

import ipaddress
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from domain import registry
from domain.kernel.ids import Code

DEFAULT_DATA_DIR = Path(".passage")
STACK_FILE = "stack.json"


EMBEDDED_ISSUER = "urn:passage:embedded"
"""The `iss` of tokens of an embedded stack's own issuer."""


class ConfigurationError(Exception):
    """A setting is missing or malformed. The message is one line that names the variable and never holds its value."""


def _known(partner: str) -> str:
    if partner not in registry.partners():
        raise ValueError(f"there is no such partner; there are {', '.join(registry.partners())}")
    return partner


Partner = Annotated[str, AfterValidator(_known)]


class Settings(BaseSettings):
    """The settings of one process. Frozen; secrets print as asterisks."""

    model_config = SettingsConfigDict(env_prefix="PASSAGE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    data_dir: Path = DEFAULT_DATA_DIR
    """Where the embedded stack keeps everything it must not lose."""
    keys_dir: Path | None = None
    """Wrapped keys of the directory key store; by default `<data_dir>/keys`. Never inside a database's directory."""

    master_key: Path | None = None
    """File of 32 bytes that wraps those keys, on a medium of its own. Default: `<keys_dir>-master`, made if missing."""
    kms_url: str | None = None
    kms_key: str = Field(default="passage", pattern=r"^[A-Za-z0-9._-]{1,128}$")
    kms_token: Path | None = None
    """In place of that file: Vault's transit engine at `https://…/v1/transit`, the key there, a file with the token."""
    database_url: SecretStr | None = None
    """`postgresql://…` with the role of this process (owner for migrations, writer for the worker, and so on). With
    `?pgbouncer=true` where it leads to a PgBouncer in transaction mode; the bootstrap's own never does."""

    gateway_url: str = "http://127.0.0.1:8080"
    """Where others reach the gateway."""
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(default=8080, ge=1, le=65535)
    """Where the gateway listens."""
    partner_keys: Path | None = None
    """JSON file by which the gateway knows its senders: partner to one or two keys, `whsec_…` or `whpk_…`
    (docs/partners.md). Without it no signature verifies."""
    sender_keys: Path | None = None
    """JSON file with which the simulated partners and the demonstration sign: `whsec_…` or `whsk_…`."""
    call_keys: Path | None = None
    """JSON file with which Passage signs its calls to partners, in the same form: `whsec_…` or `whsk_…`."""
    caller_keys: Path | None = None
    """JSON file by which the simulated partners know Passage: `whsec_…` or `whpk_…`."""
    partner_ca_file: Path | None = None
    """PEM file of the authorities that partners' TLS certificates are checked against, in place of the usual ones."""
    sender_rate_per_s: float = Field(default=200, gt=0)
    """Messages a second that all gateways together take from one sender (and applications from all senders). Far above
    the load of the real programme, and far below what would slow down other senders."""
    sender_burst: float = Field(default=2000, ge=1)
    """Messages that a sender may send at once after a pause."""
    embedded_stack: bool = False
    """Set by an embedded stack for its own programs, and by nobody else."""
    unsigned_messages: bool | None = None
    """Take messages without a signature and requests without a token, for experiments on one machine. Only where the
    embedded stack started both servers itself: default 1 there, 0 everywhere else. The gateway then listens on a
    loopback address, and refuses what a proxy passed on and what a page of another site sent."""
    trusted_proxies: tuple[str, ...] = ()
    """JSON array of networks whose `X-Forwarded-For` is believed, for limits by address: `["10.0.3.0/24"]`."""
    token_issuer: str | None = Field(default=None, min_length=1, max_length=1024)
    """The `iss` of the tokens by which officers and services are known (docs/partners.md), usually an https address."""
    token_audience: str = Field(default="passage", min_length=1, max_length=1024)
    """What the `aud` of a token must hold."""
    token_acr: tuple[str, ...] = ()
    """JSON array: the `acr` of which the tokens of officers, operators and auditors must have one. Empty: any."""
    token_keys_url: str | None = None
    """Where that issuer publishes its keys (`jwks_uri`): `https:`, `http:` on this machine, or `file:`."""
    token_signing_key: Path | None = None
    """The key of the embedded stack's own issuer, with which `passage token` signs. No deployment has one."""
    token_file: Path | None = None
    """Where `passage login` keeps the token by which commands know who runs them. Default: `token` in the data
    directory."""

    partners_url: str = "http://127.0.0.1:8090"
    """Base address of the partner services: a partner is reached at `<partners_url>/<partner>`."""
    partner_urls: dict[Partner, str] = Field(default_factory=dict)
    """JSON object: the address of each partner that lives elsewhere, as they all do in production."""
    partner_agreements: Path | None = None
    """TOML file of what is agreed with each partner, in place of `activities/partners/agreements.toml`."""
    simulators_host: str = "127.0.0.1"
    simulators_port: int = Field(default=8090, ge=1, le=65535)
    """Where the simulated partners listen."""

    temporal_address: str | None = None
    """A fallback, from `stack.json`; `TEMPORAL_ADDRESS` and Temporal's own file take precedence."""
    temporal_ui_url: str | None = None
    """Base address of the Temporal UI, for links shown to people."""
    cached_cases_max: int = Field(default=1_000, ge=1)
    """Cases that a worker keeps in memory between signals, some 0.1 MB each; any other is replayed as it wakes."""

    clock_factor: float = Field(default=1.0, gt=0, le=10_000_000)
    """Domain seconds for each second of the server's clock. 1 in production."""
    clock_server_epoch: AwareDatetime | None = None
    clock_domain_epoch: AwareDatetime | None = None
    """The domain's moment at the server's moment `clock_server_epoch`. Both or neither."""

    programme: str = Field(default="venezuela-air", pattern=r"^[a-z][a-z0-9-]{0,62}$")
    programme_rules: str = "2022-10-19"
    """The rule set under which the programme is opened when the database is new."""
    programme_places: int | None = Field(default=None, ge=0)
    """The cap at that opening; by default the rule set's own."""

    log_origin: str = Field(default="passage/log", pattern=r"^[!-*,-~]{1,200}$")
    """Name of the sealed log and of its key (c2sp.org/tlog-checkpoint), given to the key when it is made."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto`: readable lines on a terminal, JSON everywhere else."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    probe_host: str = "127.0.0.1"
    probe_port: int | None = Field(default=None, ge=1, le=65535)
    """Where a process without a port of its own answers `/healthz` and `/readyz`. Silent when not set."""

    @model_validator(mode="after")
    def _clock_is_whole(self) -> Self:
        if (self.clock_server_epoch is None) != (self.clock_domain_epoch is None):
            raise ValueError(
                "PASSAGE_CLOCK_SERVER_EPOCH and PASSAGE_CLOCK_DOMAIN_EPOCH are given together or not at all"
            )
        if self.clock_factor != 1 and self.clock_server_epoch is None:
            raise ValueError("PASSAGE_CLOCK_FACTOR needs PASSAGE_CLOCK_SERVER_EPOCH and PASSAGE_CLOCK_DOMAIN_EPOCH")
        return self

    @model_validator(mode="after")
    def _unsigned_only_in_an_embedded_stack(self) -> Self:
        if self.unsigned_messages and not self.embedded_stack:
            raise ValueError("PASSAGE_UNSIGNED_MESSAGES belongs to an embedded stack that started both of its servers")
        if self.unsigned_messages and not _is_loopback(self.gateway_host):
            raise ValueError("PASSAGE_UNSIGNED_MESSAGES needs a PASSAGE_GATEWAY_HOST that only this machine reaches")
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            ipaddress.ip_network(each)
        return given

    @model_validator(mode="after")
    def _issuer_is_whole(self) -> Self:
        if (self.token_issuer is None) != (self.token_keys_url is None):
            raise ValueError("PASSAGE_TOKEN_ISSUER and PASSAGE_TOKEN_KEYS_URL are given together or not at all")
        if self.token_keys_url is not None and not _is_trusted_source(self.token_keys_url):
            raise ValueError("PASSAGE_TOKEN_KEYS_URL is https:, file:///, or http: on a loopback address")
        return self

    @model_validator(mode="after")
    def _key_service_is_whole(self) -> Self:
        if (self.kms_url is None) != (self.kms_token is None) or (self.kms_url and self.master_key):
            raise ValueError("PASSAGE_KMS_URL and PASSAGE_KMS_TOKEN are given together, and PASSAGE_MASTER_KEY without")
        if self.kms_url is not None and (self.kms_url.startswith("file:") or not _is_trusted_source(self.kms_url)):
            raise ValueError("PASSAGE_KMS_URL is https:, or http: on a loopback address")
        return self

    @property
    def trusted_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """`trusted_proxies`, read."""
        return tuple(map(ipaddress.ip_network, self.trusted_proxies))

    @property
    def stack_file(self) -> Path:
        """Where the embedded stack writes its addresses and process ids."""
        return self.data_dir / STACK_FILE

    @property
    def token_path(self) -> Path:
        """Where the token of whoever runs commands is kept."""
        return self.token_file or self.data_dir / "token"

    @property
    def keys_directory(self) -> Path:
        """Where the directory key store keeps wrapped keys."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def required_database_url(self) -> str:
        """The database's URL in clear, for the driver alone. Raises ConfigurationError when there is none."""
        if self.database_url is None:
            raise ConfigurationError(
                "no database: set PASSAGE_DATABASE_URL, or start the embedded stack with `passage up`"
            )
        return self.database_url.get_secret_value()

    def partner_url(self, partner: Code) -> str:
        """Base address of one partner, without a trailing slash."""
        return self.partner_urls.get(partner, f"{self.partners_url.rstrip('/')}/{partner}").rstrip("/")

    def environment(self) -> dict[str, str]:
        """The variables from which another process reads these same settings. Secrets stand in clear."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {f"PASSAGE_{name.upper()}": _as_variable(value) for name, value in values.items() if value is not None}

    @property
    def temporal(self) -> ClientConnectConfig:
        """Keyword arguments of `temporalio.client.Client.connect`, always with an address and a namespace."""
        given = _temporal_environment()
        address = given.get("target_host") or self.temporal_address or "127.0.0.1:7233"
        return {**given, "target_host": address, "namespace": given.get("namespace") or "default"}

    @property
    def temporal_is_given(self) -> bool:
        """Whether the environment names a Temporal server, so that none is to be started."""
        return "target_host" in _temporal_environment()


class _WithRunningStack(Settings):
    """Settings whose gaps are filled from a running stack's `stack.json`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  pydantic-settings passes it; no .env file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the running stack."""
        data_dir = Path(init_settings().get("data_dir") or env_settings().get("data_dir") or DEFAULT_DATA_DIR)
        stack = JsonConfigSettingsSource(settings_cls, json_file=data_dir / STACK_FILE)
        return init_settings, env_settings, stack


def load_settings(*, data_dir: Path | None = None, from_running_stack: bool = True) -> Settings:
    """Read the settings of this process. Raises ConfigurationError.

    `data_dir` wins over the environment. `from_running_stack=False` is for the stack itself: what an earlier run left
    in `stack.json` must not look like a setting.
    """
    kind = _WithRunningStack if from_running_stack else Settings
    try:
        return kind() if data_dir is None else kind(data_dir=data_dir)
    except (ValidationError, SettingsError, ValueError) as error:
        raise ConfigurationError(_one_line(error)) from None


def child_environment(own: Mapping[str, str], *, without: str = "") -> dict[str, str]:
    """This process's environment for a child, with `own` on top, less every variable that begins with `without`."""
    inherited = {name: value for name, value in os.environ.items() if not without or not name.startswith(without)}
    return {**inherited, **own}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_trusted_source(url: str) -> bool:
    """Whether nobody on the way can put keys of their own there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    match parts.scheme:
        case "https":
            return bool(parts.hostname)
        case "http":
            return _is_loopback(parts.hostname or "")
        case "file":
            return not parts.netloc and parts.path.startswith("/")
        case _:
            return False


def _as_variable(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict() | tuple():
            return json.dumps(value)
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _temporal_environment() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except Exception as error:  # noqa: BLE001  the bridge raises bare RuntimeError and ValueError for a malformed file
        raise ConfigurationError(f"Temporal's configuration cannot be read: {error}") from None


def _one_line(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"settings cannot be read: {str(error).splitlines()[0]}"
    return "; ".join(
        f"{_variable(fault['loc'])}{fault['msg']}" for fault in error.errors(include_input=False, include_url=False)
    )


def _variable(location: tuple[int | str, ...]) -> str:
    """`PASSAGE_PARTNER_URLS (vetting): ` for a fault inside the value; nothing for a fault of the whole."""
    if not location:
        return ""
    inside = f" ({'.'.join(map(str, location[1:]))})" if location[1:] else ""
    return f"PASSAGE_{str(location[0]).upper()}{inside}: "
