"""The units: systemd knows every word of them, and what they say of the service is true."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cronzimus.cli import main
from cronzimus.orders import EXIT_CONFIG
from cronzimus.settings import Settings
from tests.house.tree import ROOT

UNITS = ROOT / "docs/deployment/systemd"
WEB, WORKER = "cronzimus-web.service", "cronzimus-worker@.service"
BINARIES = Path(sys.executable).parent
# What gunicorn ends with when a process of its own refuses to start.
REFUSED = 3


def options(unit: str) -> dict[str, list[str]]:
    """Every value of every key, by `Section.Key`."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (UNITS / unit).read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


def the(unit: str, key: str) -> str:
    (value,) = options(unit)[key]
    return value


def variables(unit: str) -> dict[str, str]:
    """The environment that the unit sets."""
    return dict(one.split("=", 1) for one in options(unit)["Service.Environment"])


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd; it judges the units")
    return found


def installed(folder: Path, unit: str, old: str = "", new: str = "") -> str:
    """A unit as it could be installed here, an instance of it where it is a template."""
    text = (UNITS / unit).read_text("utf-8").replace("/opt/cronzimus/bin", str(BINARIES))
    assert old in text
    path = folder / unit.replace("@.", "@1.")
    path.write_text(text.replace(old, new) if old else text)
    return str(path)


def complaints(analyze: str, path: str) -> str:
    done = subprocess.run([analyze, "verify", path], capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("unit", [WEB, WORKER])
def test_systemd_knows_every_word(analyze: str, unit: str, tmp_path: Path) -> None:
    assert complaints(analyze, installed(tmp_path, unit)) == ""


@pytest.mark.parametrize(("old", "new"), [("ProtectClock", "ProtectClocks"), ("/gunicorn ", "/unicorn ")])
def test_systemd_says_what_it_does_not_know(analyze: str, tmp_path: Path, old: str, new: str) -> None:
    assert new.strip("/ ") in complaints(analyze, installed(tmp_path, WEB, old, new))


@pytest.mark.parametrize("unit", [WEB, WORKER])
def test_units_are_hardened(analyze: str, unit: str, tmp_path: Path) -> None:
    words = [analyze, "security", "--offline=true", "--threshold=16", "--no-pager"]
    done = subprocess.run([*words, installed(tmp_path, unit)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", [WEB, WORKER])
def test_commands_and_their_options_exist(unit: str) -> None:
    lines = [*options(unit)["Service.ExecStart"], *options(unit).get("Service.ExecStartPre", [])]
    for line in lines:
        program, *words = line.split()
        assert (BINARIES / Path(program).name).is_file()
        if program.endswith("/cronzimus"):
            command: click.Command = main
            while isinstance(command, click.Group):
                found = command.get_command(click.Context(command), words.pop(0))
                assert found is not None, line
                command = found
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("unit", [WEB, WORKER])
def test_the_service_understands_its_environment(unit: str, tmp_path: Path) -> None:
    (tmp_path / "config" / "base").mkdir(parents=True)
    for credential in options(unit)["Service.LoadCredential"]:
        (tmp_path / credential.partition(":")[0]).write_text("postgresql://of-the-file/x")
    said = {
        name: value.replace("%d", str(tmp_path)).replace("/etc/cronzimus/config", str(tmp_path / "config"))
        for name, value in variables(unit).items()
    }
    done = subprocess.run(
        [sys.executable, "-m", "cronzimus", "config", "show", "--origin"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **said},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "of-the-file" in done.stdout, done.stdout + done.stderr
    assert "WARNING" not in done.stderr and "production" in done.stdout


def test_every_credential_is_used() -> None:
    for unit in (WEB, WORKER):
        names = {one.partition(":")[0] for one in options(unit)["Service.LoadCredential"]}
        assert names == {
            v.removeprefix("%d/") for k, v in variables(unit).items() if k.endswith("_FILE")
        }, unit


def test_a_stop_waits_longer_than_the_service() -> None:
    for unit in (WEB, WORKER):
        assert int(the(unit, "Service.TimeoutStopSec")) > Settings().worker.drain_seconds + 10
        assert the(unit, "Service.KillMode") == "mixed"


def test_exit_codes_are_those_of_the_service() -> None:
    assert the(WORKER, "Service.SuccessExitStatus") == str(128 + signal.SIGTERM)
    assert the(WORKER, "Service.RestartPreventExitStatus") == str(EXIT_CONFIG)
    assert the(WORKER, "Service.Restart") == "on-failure"
    assert the(WEB, "Service.RestartPreventExitStatus").split() == [str(REFUSED), str(EXIT_CONFIG)]


def test_gunicorn_ends_so_when_the_service_refuses(tmp_path: Path, empty_database_url: str) -> None:
    """In production without a token: nobody could come in."""
    words = re.findall(r'"[^"]*"|\S+', the(WEB, "Service.ExecStart"))[1:]
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", *(word.strip('"') for word in words)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CRONZIMUS_ENV": "production",
            "CRONZIMUS_SERVER__HOST": "127.0.0.1",
            "CRONZIMUS_SERVER__PORT": "0",
            "DATABASE_URL": empty_database_url,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == REFUSED, done.stderr
