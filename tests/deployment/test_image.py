"""The files of the image agree with the service and each other; what it does: tests/e2e/test_supervised.py."""

import configparser
import re
import shlex
from importlib.metadata import entry_points
from typing import Any

import pytest
from ruamel.yaml import YAML

from cronzimus.settings.keys import keys
from tests.house.tree import ROOT

DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
SUPERVISORD = configparser.RawConfigParser(comment_prefixes=(";",), inline_comment_prefixes=(" ;",))
SUPERVISORD.read(ROOT / "cronzimus-supervisord.ini")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
PROGRAMS = [name for name in SUPERVISORD.sections() if name.startswith("program:")]


def instructions(name: str) -> list[str]:
    """What stands behind an instruction, wherever it is used in the last stage."""
    joined = DOCKERFILE.replace("\\\n", " ").rpartition("\nFROM ")[2]
    return re.findall(rf"^{name} +(.+)$", joined, re.MULTILINE)


def test_image_is_what_clusters_admit() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("EXPOSE") == ["5000"]
    (asked,) = instructions("HEALTHCHECK")
    assert "/api/health" in asked and "get('CRONZIMUS_SERVER__PORT', 5000)" in asked
    assert instructions("CMD") == ['["supervisord", "-n", "-c", "/app/cronzimus-supervisord.ini"]']
    assert "COPY . " not in DOCKERFILE and "--require-hashes" in DOCKERFILE


def test_what_the_image_copies_is_let_through() -> None:
    ignored = (ROOT / "docker" / ".dockerignore").read_text()
    # The name under which builders look for it beside the Dockerfile.
    assert (ROOT / "docker" / "Dockerfile.dockerignore").read_text() == ignored
    let_through = {line[1:] for line in ignored.splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for names in copied for name in names.split()} == let_through
    assert all((ROOT / name).exists() for name in let_through)


def test_image_has_every_pin_of_the_development_lock() -> None:
    """One lock is a part of the other, or the image would be something nobody has tested."""
    pins = {
        name: set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    }
    assert pins["requirements.txt"] < pins["docker/requirements.txt"] < pins["requirements-dev.txt"]


LOCKS = ("requirements.txt", "docker/requirements.txt", "requirements-dev.txt")


@pytest.mark.parametrize("section", PROGRAMS)
def test_programs_come_back_and_may_finish(section: str) -> None:
    program = SUPERVISORD[section]
    assert program["autorestart"] == "true" and program["stopsignal"] == "TERM"
    assert int(program["stopwaitsecs"]) > 25 + 5, "worker.drain_seconds, and a little"
    assert (program["stdout_logfile_maxbytes"], program["stderr_logfile_maxbytes"]) == ("0", "0")
    assert exists(shlex.split(program["command"]))
    for variable in re.findall(r"(\w+)=", program.get("environment", "")):
        assert variable in variables()


def test_programs_are_one_group_so_that_all_stop_at_once() -> None:
    grouped = SUPERVISORD["group:cronzimus"]["programs"].split(",")
    assert [f"program:{name}" for name in grouped] == PROGRAMS


@pytest.mark.parametrize("name", ["web", "scheduler", "worker"])
def test_composed_services_are_closed_and_exist(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"] == ["/tmp"]
    assert exists(service["command"])
    assert set(service["environment"]) <= variables() | {
        "CRONZIMUS_ENV",
        "DATABASE_URL",
        "CRONZIMUS_API_TOKEN",
    }
    assert service.get("ports", ["127.0.0.1:5000:5000"]) == ["127.0.0.1:5000:5000"]


def test_composed_database_is_reached_by_nobody_else() -> None:
    database = COMPOSE["services"]["postgres"]
    assert "ports" not in database and database["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert not any("PASSWORD" in name for name in database["environment"])


def exists(command: list[str]) -> bool:
    """Whether the package brings the program, and the program knows the words."""
    scripts = {script.name for script in entry_points(group="console_scripts")}
    known = (["gunicorn"], ["cronzimus", "serve"], ["cronzimus", "worker", "start"])
    return command[0] in scripts and any(command[: len(words)] == words for words in known)


def variables() -> set[str]:
    """The variables of all settings."""
    return {f"CRONZIMUS_{key.replace('.', '__')}".upper() for key in keys()}
