"""What commands without a service stand on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cronzimus.cli.command import Session
from cronzimus.cli.ground import database_url, find_functions_here, settings_of
from cronzimus.common.db import Database
from cronzimus.errors import ConfigError, DatabaseUnavailable
from cronzimus.settings import Settings
from tests.fixtures.project import Project

HOLD = """
import sys
from cronzimus.cli.ground import database_url
from cronzimus.settings import Settings
settings = Settings.model_validate({"database": {"data_dir": sys.argv[1]}})
with database_url(settings, may_create=True) as url:
    print("ready", flush=True)
    sys.stdin.read()
"""


def embedded(folder: Path) -> Settings:
    return Settings.model_validate({"database": {"data_dir": str(folder)}})


def test_settings_are_those_of_the_session(project: Project) -> None:
    project.write("here/config.yaml", "server: {port: 7000}\n")
    settings = settings_of(Session(config_path="here", environment="staging"))
    assert (settings.server.port, settings.environment) == (7000, "staging")
    with pytest.raises(ConfigError):
        settings_of(Session(config_path="gone"))


def test_a_database_that_is_named_is_used() -> None:
    settings = Settings.model_validate({"database": {"url": "postgresql://h/name"}})
    with database_url(settings) as url:
        assert url == "postgresql://h/name"


def test_no_database_is_made_to_be_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "postgres"
    with pytest.raises(DatabaseUnavailable, match="there is no database under .* yet"):
        with database_url(embedded(folder)):
            pytest.fail("there is one")
    assert not folder.parent.exists()


def test_a_database_that_may_not_be_read_is_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(DatabaseUnavailable, match="cannot be read: Permission denied"):
        with database_url(embedded(tmp_path)):
            pytest.fail("it was read")


def test_the_embedded_database_is_shared_and_left_as_it_was(open_folder: Path) -> None:
    folder = open_folder / "data" / "postgres"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "ready\n"
    pid = (folder / "postmaster.pid").read_text().splitlines()[0]
    handler = signal.getsignal(signal.SIGTERM)
    with database_url(embedded(folder)) as url:
        assert signal.getsignal(signal.SIGTERM) != handler
        database = Database(url, 1)
        assert database.fetch_one("SELECT 1") == (1,)
        database.close()
    assert signal.getsignal(signal.SIGTERM) == handler
    assert (folder / "postmaster.pid").read_text().splitlines()[0] == pid
    holder.stdin.close()
    assert holder.wait(30) == 0
    holder.stdout.close()
    assert not (folder / "postmaster.pid").exists()


def test_sigterm_leaves_no_server_behind(open_folder: Path) -> None:
    folder = open_folder / "data" / "postgres"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "ready\n"
    holder.send_signal(signal.SIGTERM)
    assert holder.wait(30) == 143
    holder.stdin.close()
    holder.stdout.close()
    assert not (folder / "postmaster.pid").exists()


def test_functions_are_looked_for_here_and_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["first"])
    monkeypatch.chdir(tmp_path)
    find_functions_here()
    find_functions_here()
    assert sys.path == ["first", os.getcwd()]
