"""The container set-up against the code: what it names must exist. No container engine is needed."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

import cli
from runtime.postgres import binaries, embedded_postgres
from runtime.settings import Settings
from tests.receiver import SECRET

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = dict(
    line.partition("=")[::2]
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
SETTINGS = {f"TANDEM_{name.upper()}" for name in Settings.model_fields}
ONLY_COMPOSE = {"TANDEM_IMAGE"}
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
ASKED = re.compile(r"\$\{(\w+)")
PINNED = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$")

per_service = pytest.mark.parametrize("name", sorted(SERVICES))


def environment(name: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[name].get("environment", {})
    return found


def commands() -> set[str]:
    """The commands that `tandem` has, by name."""
    named = {
        command.name or command.callback.__name__
        for command in cli.app.registered_commands
        if command.callback
    }
    return named | {str(group.name) for group in cli.app.registered_groups}


def one_shots() -> set[str]:
    return {
        needed
        for service in SERVICES.values()
        for needed, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }


def test_all_that_a_production_needs_is_there() -> None:
    assert {"postgres", "temporal-schema", "temporal", "temporal-ui", "migrate", "worker", "api"} <= set(
        SERVICES
    )
    assert {"migrate", "worker", "api"} == OURS


@per_service
def test_every_image_has_a_version(name: str) -> None:
    image = SERVICES[name]["image"]
    image = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", image)
    assert PINNED.match(image), image


def test_the_base_image_has_a_version() -> None:
    for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        assert PINNED.match(base), base


@per_service
def test_every_service_ends_or_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    if name in one_shots():
        assert service["restart"].startswith("on-failure")
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


@per_service
def test_services_wait_for_what_they_need(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert needed in SERVICES
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[needed]["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully"


@per_service
def test_no_secret_has_a_default(name: str) -> None:
    for variable, value in environment(name).items():
        if re.search(r"PASSWORD|PWD|SECRET|_KEY|TOKEN", variable):
            assert REQUIRED.fullmatch(value), f"{variable} of {name}"
        if "://" in value and "@" in value:
            assert REQUIRED.search(value.split("://")[1].split("@")[0]), f"{variable} of {name}"


def test_the_example_asks_for_every_secret_and_gives_none() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    required = set(REQUIRED.findall(text))
    assert {"POSTGRES_PASSWORD", "POSTGRES_TANDEM_PASSWORD", "POSTGRES_TEMPORAL_PASSWORD"} <= required
    assert required <= set(EXAMPLE)
    assert all(EXAMPLE[variable] == "" for variable in required)
    assert set(ASKED.findall(text)) == set(EXAMPLE)


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_exist(name: str) -> None:
    (command,) = SERVICES[name]["command"]
    assert command in commands()
    check = SERVICES[name].get("healthcheck", {}).get("test", [])
    if check:
        assert check[:3] == ["CMD", "tandem", "health"]
        assert check[3] == command


def test_the_images_own_command_and_check_exist() -> None:
    assert re.search(r'^CMD \["api"\]$', DOCKERFILE, re.MULTILINE)
    assert re.search(r'^HEALTHCHECK .* CMD \["tandem", "health", "api"\]$', DOCKERFILE, re.MULTILINE)
    assert {"api", "health"} <= commands()


def test_settings_exist() -> None:
    named = {variable for name in OURS for variable in environment(name)}
    named |= set(re.findall(r"\b(TANDEM_[A-Z_]+)=", DOCKERFILE))
    named |= {variable for variable in EXAMPLE if variable.startswith("TANDEM_")} - ONLY_COMPOSE
    assert {v for v in named if not v.startswith("TANDEM_")} == set()
    assert named <= SETTINGS


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment(name).items():
        filled = re.sub(
            r"\$\{\w+:-([^}]*)\}", r"\1", REQUIRED.sub("https://tandem.production.example", value)
        )
        monkeypatch.setenv(variable, SECRET if variable == "TANDEM_WEBHOOK_SECRET" else filled)
    settings = Settings(_env_file=None)
    assert settings.database_url
    assert settings.temporal_address == "temporal:7233"


def test_ports_agree() -> None:
    port = environment("api")["TANDEM_PORT"]
    proxied = re.search(
        r"dynamic a \{\s+name (\w+)\s+port (\d+)", (ROOT / "deploy/caddy/Caddyfile").read_text()
    )
    assert proxied
    assert proxied.groups() == ("api", port)
    assert SERVICES["api"]["expose"] == [port]
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [port]
    assert f"TANDEM_PORT={port}" in DOCKERFILE
    temporal = environment("api")["TANDEM_TEMPORAL_ADDRESS"]
    assert {environment(n)["TEMPORAL_ADDRESS"] for n in ("temporal-ui", "temporal-namespace")} == {temporal}
    assert SERVICES["temporal"]["healthcheck"]["test"][-1] == temporal.partition(":")[2]


def test_one_namespace_is_made_and_used() -> None:
    made = environment("temporal-namespace")["TEMPORAL_NAMESPACE"]
    assert {environment(name)["TANDEM_TEMPORAL_NAMESPACE"] for name in OURS} == {made}
    assert environment("temporal-ui")["TEMPORAL_DEFAULT_NAMESPACE"] == made


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), f"{name} {port}"
    for name in ("worker", "api"):
        assert "ports" not in SERVICES[name], "a published port can be scaled to one container only"
        assert "container_name" not in SERVICES[name]


def test_our_containers_may_do_little() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert re.search(r"^USER (?!0|root)\S+$", DOCKERFILE, re.MULTILINE)


@per_service
def test_volumes_are_named_or_in_the_repository(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).is_dir() if source.startswith("./") else source in COMPOSE["volumes"]
    scripts = [part for part in SERVICES[name].get("entrypoint", []) if part.startswith("/deploy/")]
    for script in scripts:
        assert (ROOT / "deploy/temporal" / Path(script).name).is_file()


def test_the_database_keeps_its_data_in_a_volume() -> None:
    """From PostgreSQL 18 on the image's data are in a folder per version below /var/lib/postgresql."""
    assert "postgres-data:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_the_image_has_all_code_and_only_what_the_lock_names() -> None:
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(?!--chmod)(.+)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    }
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"}
    assert rooms | {"templates", "static", "migrations", "cli.py", "worker.py"} <= copied
    for word in copied:
        assert word.endswith("*") or (ROOT / word).exists(), word
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert {word.rstrip("*") for word in copied} <= allowed
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert "--require-hashes" in DOCKERFILE
    assert "-r requirements.lock" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE


def test_scripts_are_shell() -> None:
    for script in (ROOT / "deploy").rglob("*.sh"):
        assert script.read_text().startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n", script], check=True)


async def test_the_first_set_up_makes_databases_that_only_their_owners_enter(tmp_path: Path) -> None:
    """The script as the image runs it, against a PostgreSQL of its own."""
    async with embedded_postgres(tmp_path, durable=False) as url:
        folder = unquote(url.partition("host=")[2])
        found = await asyncio.to_thread(_set_up, {"PATH": f"{binaries()}:/usr/bin:/bin", "PGHOST": folder})
    assert found == ["tandem|tandem|f|f", "temporal|temporal|f|f", "temporal_visibility|temporal|f|f"]


def _set_up(inside: dict[str, str]) -> list[str]:
    def psql(sql: str) -> list[str]:
        command = ["psql", "-XAtq", "-U", "postgres", "-d", "postgres", "-c", sql]
        return subprocess.run(command, env=inside, check=True, capture_output=True, text=True).stdout.split()

    psql("DROP DATABASE tandem")
    psql("DROP ROLE tandem")
    passwords = {"POSTGRES_TANDEM_PASSWORD": "it's one", "POSTGRES_TEMPORAL_PASSWORD": "another"}
    subprocess.run([ROOT / "deploy/postgres/10-databases.sh"], env=inside | passwords, check=True)
    return psql(LISTED)


LISTED = """
SELECT datname, rolname, rolsuper, has_database_privilege('public', d.oid, 'CONNECT')
FROM pg_database d JOIN pg_roles r ON r.oid = datdba
WHERE datname IN ('tandem', 'temporal', 'temporal_visibility') ORDER BY 1
"""
