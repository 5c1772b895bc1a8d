import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from process.config import ConfigurationError, Settings, child_environment, load_settings

SECRET = "postgresql://writer:hunter2@db.example/passage"


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in child_environment({}):
        if name.startswith(("PASSAGE_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    monkeypatch.chdir(tmp_path)


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSAGE_DATABASE_URL", SECRET)
    settings = load_settings()
    assert "hunter2" not in f"{settings!r}{settings}{settings.model_dump_json()}"
    assert settings.required_database_url == SECRET


def test_another_process_reads_the_same_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        data_dir=Path("/with space/.passage"),
        database_url=SecretStr(SECRET),
        partner_urls={"vetting": "https://vetting.example"},
        clock_factor=1000,
        clock_server_epoch=datetime(2026, 1, 1, tzinfo=UTC),
        clock_domain_epoch=datetime(2022, 10, 18, 12, tzinfo=UTC),
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings().model_dump() == settings.model_dump()


def test_a_running_stack_fills_the_gaps_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".passage").mkdir()
    found = {"database_url": SECRET, "gateway_url": "http://127.0.0.1:1", "temporal_address": "127.0.0.1:2", "pids": {}}
    Path(".passage/stack.json").write_text(json.dumps(found))
    monkeypatch.setenv("PASSAGE_GATEWAY_URL", "http://gateway.example")
    settings = load_settings()
    assert settings.gateway_url == "http://gateway.example"
    assert settings.required_database_url == SECRET
    assert settings.temporal["target_host"] == "127.0.0.1:2"
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    assert settings.temporal["target_host"] == "temporal.example:7233"
    assert load_settings(from_running_stack=False).database_url is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PASSAGE_GATEWAY_PORT", "99999", "PASSAGE_GATEWAY_PORT: Input should be less than or equal to 65535"),
        (
            "PASSAGE_PARTNER_URLS",
            '{"police": "http://x"}',
            "PASSAGE_PARTNER_URLS (police.[key]): Value error, there is no such partner",
        ),
        ("PASSAGE_TOKEN_ISSUER", "https://id.example", "Value error, PASSAGE_TOKEN_ISSUER and PASSAGE_TOKEN_KEYS_URL"),
        ("PASSAGE_PARTNER_URLS", "{", 'settings cannot be read: error parsing value for field "partner_urls"'),
        ("PASSAGE_CLOCK_FACTOR", "60", "Value error, PASSAGE_CLOCK_FACTOR needs PASSAGE_CLOCK_SERVER_EPOCH"),
        ("PASSAGE_CLOCK_DOMAIN_EPOCH", "2022-10-18T12:00:00Z", "Value error, PASSAGE_CLOCK_SERVER_EPOCH and "),
    ],
)
def test_a_malformed_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://id.example/jwks", True),
        ("http://127.0.0.1:8180/jwks", True),
        ("http://[::1]:8180/jwks", True),
        ("file:///run/secrets/jwks.json", True),
        ("http://id.example/jwks", False),
        ("file://id.example/jwks", False),
        ("https:///jwks", False),
        ("ftp://id.example/jwks", False),
        ("https://[", False),
        ("jwks.json", False),
    ],
)
def test_keys_come_from_where_nobody_can_put_others(monkeypatch: pytest.MonkeyPatch, url: str, is_taken: bool) -> None:
    monkeypatch.setenv("PASSAGE_TOKEN_ISSUER", "https://id.example")
    monkeypatch.setenv("PASSAGE_TOKEN_KEYS_URL", url)
    if is_taken:
        assert load_settings().token_keys_url == url
        return
    with pytest.raises(ConfigurationError, match="PASSAGE_TOKEN_KEYS_URL is https:"):
        load_settings()


def test_without_a_database_the_message_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="set PASSAGE_DATABASE_URL, or start the embedded stack"):
        load_settings().required_database_url  # noqa: B018  reading it is the act


def test_each_partner_may_live_elsewhere() -> None:
    settings = Settings(partners_url="http://simulators/", partner_urls={"vetting": "https://vetting.example/api/"})
    assert settings.partner_url("entry_records") == "http://simulators/entry_records"
    assert settings.partner_url("vetting") == "https://vetting.example/api"
