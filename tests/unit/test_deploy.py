"""What a deployment promises, read from the files that make it: no container engine is needed to see it broken."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from worker import DRAIN_TIMEOUT
from workflows.contracts import SEARCH_ATTRIBUTES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("passage:")}


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_every_program_has_its_service() -> None:
    assert {tuple(service["command"]) for service in OURS.values()} == {
        ("stack.bootstrap",),
        ("gateway",),
        ("gateway.relay",),
        ("audit.sealer",),
        ("worker",),
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_unprivileged(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] != "0"
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_published_is_published_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", OURS)
def test_no_program_starts_before_what_it_needs_is_ready(name: str) -> None:
    needs = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
    if name == "bootstrap":
        assert needs == {"record": "service_healthy", "temporal": "service_healthy"}
    else:
        assert needs == {"bootstrap": "service_completed_successfully"}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_programs_read(name: str) -> None:
    known = {f"PASSAGE_{field.upper()}" for field in Settings.model_fields} | {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
    assert set(SERVICES[name]["environment"]) <= known


def test_only_the_bootstrap_job_holds_the_administrator_s_password() -> None:
    holders = {name for name, service in SERVICES.items() if "PASSAGE_ADMIN_PASSWORD" in json.dumps(service)}
    assert holders == {"record", "bootstrap"}


def test_no_password_stands_in_the_files() -> None:
    variables = [pair for service in SERVICES.values() for pair in service.get("environment", {}).items()]
    in_urls = [re.findall(r"://[^:@/]+:([^@]+)@", str(value)) for _, value in variables]
    alone = [str(value) for key, value in variables if re.search("PASSWORD|PWD", key)]
    assert alone
    assert all(secret.startswith("${") for secret in (*alone, *(secret for found in in_urls for secret in found)))


def test_the_worker_is_given_the_time_it_takes_to_drain() -> None:
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > DRAIN_TIMEOUT.total_seconds()


def test_every_volume_and_file_that_is_mounted_exists() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (ROOT / "deploy" / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_example_names_every_secret() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?\}", (ROOT / "deploy/compose.yaml").read_text()))
    given = set(re.findall(r"^(\w+)=", (ROOT / "deploy/.env.example").read_text(), re.MULTILINE))
    assert wanted == given


def test_search_attributes_fit_a_cluster_on_postgres() -> None:
    kinds = [key.indexed_value_type.name for key in SEARCH_ATTRIBUTES]
    assert kinds.count("KEYWORD") <= 10
    assert all(kinds.count(kind) <= 3 for kind in set(kinds) - {"KEYWORD"})


def roles_of(migrations: str) -> set[str]:
    """Every role that a migration creates: by name, or in a list that it goes through."""
    created = set(re.findall(r"CREATE ROLE (\w+) NOLOGIN", migrations))
    for listed in re.findall(r"FOREACH role_name IN ARRAY ARRAY\[([^]]+)\]", migrations):
        created |= set(re.findall(r"'(\w+)'", listed))
    return created


def test_every_role_of_the_migrations_is_made_and_somebody_logs_in_with_it_but_the_owner() -> None:
    files = (ROOT / "eventstore/sql/migrations").glob("*.sql")
    roles = roles_of("".join(file.read_text() for file in files))
    logins = (ROOT / "deploy/postgres/logins.sh").read_text()
    assert roles >= {"passage_owner", "passage_writer", "passage_eraser"}
    assert set(re.findall(r"CREATE ROLE (\w+) NOLOGIN", logins)) == roles
    granted = {role for line in re.findall(r"LOGIN PASSWORD .* IN ROLE (.*);", logins) for role in line.split(", ")}
    assert granted == roles - {"passage_owner"}


def test_every_password_of_a_login_reaches_the_script() -> None:
    logins = (ROOT / "deploy/postgres/logins.sh").read_text()
    wanted = set(re.findall(r'="\$(PASSAGE_\w+)"', logins))
    assert set(re.findall(r"PASSWORD :'(\w+)'", logins)) == set(re.findall(r"--set (\w+)=\"\$", logins))
    assert wanted <= set(SERVICES["record"]["environment"])


def test_every_secret_that_a_service_is_given_is_declared() -> None:
    given = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert given == set(COMPOSE["secrets"])
