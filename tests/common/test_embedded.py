"""The embedded PostgreSQL: starts from nothing, is shared, comes back, and leaves with its last user."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from cronzimus.common import embedded as room
from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.errors import ConfigError, DatabaseUnavailable


@pytest.fixture
def embedded(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test alone, not started."""
    server = EmbeddedPostgres(open_folder / "data" / "postgres")
    yield server
    server.release()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data_dir / "postmaster.pid").read_text().splitlines()[0])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


def test_server_starts_from_nothing_keeps_data_and_stops(embedded: EmbeddedPostgres) -> None:
    with psycopg.connect(embedded.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    pid = postmaster(embedded)
    embedded.release()
    until(lambda: not alive(pid))
    with psycopg.connect(embedded.start(), autocommit=True) as connection:
        connection.execute("SELECT * FROM kept")


def test_installation_without_a_server_asks_for_a_database(
    embedded: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="database.url: must be set"):
        embedded.start()
    assert not embedded.data_dir.parent.exists()


@pytest.mark.parametrize("name", ["two words", "Größe", "it's; a test", "(100 %)"])
def test_folder_may_have_any_name(open_folder: Path, name: str) -> None:
    server = EmbeddedPostgres(open_folder / name / "postgres")
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.release()


def test_name_the_locale_cannot_spell_is_told_in_a_sentence(open_folder: Path) -> None:
    unspelt = open_folder / "Größe".encode().decode("ascii", "surrogateescape")
    with pytest.raises(DatabaseUnavailable, match="set PYTHONUTF8=1"):
        EmbeddedPostgres(unspelt / "postgres").start()


def test_killed_server_is_started_again(embedded: EmbeddedPostgres) -> None:
    url = embedded.start()
    embedded.ensure_running()
    pid = postmaster(embedded)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))

    def answers() -> bool:
        try:
            embedded.ensure_running()
            psycopg.connect(embedded.url).close()
        except Exception:
            return False
        return True

    until(answers)
    assert embedded.url == url


def test_second_process_shares_the_server_and_leaves_it_running(embedded: EmbeddedPostgres) -> None:
    url = embedded.start()
    code = (
        "import sys; from pathlib import Path; from cronzimus.common.embedded import EmbeddedPostgres;"
        "s = EmbeddedPostgres(Path(sys.argv[1])); print(s.start()); s.release()"
    )
    command = [sys.executable, "-c", code, str(embedded.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == url
    psycopg.connect(url).close()


def test_handles_of_dead_processes_are_forgotten(embedded: EmbeddedPostgres) -> None:
    embedded.start()
    pid = postmaster(embedded)
    embedded.release()
    until(lambda: not alive(pid))
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (embedded.data_dir / ".handle_pids.json").write_text(json.dumps([child.pid]))
    embedded.start()
    pid = postmaster(embedded)
    embedded.release()
    until(lambda: not alive(pid))


def test_server_not_started_has_no_url(embedded: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseUnavailable, match="not started"):
        _ = embedded.url
    embedded.ensure_running()
    embedded.release()


def test_place_that_cannot_hold_data_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(DatabaseUnavailable, match="did not start"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


@pytest.mark.parametrize("closed", ["data", "programs"])
def test_root_is_told_what_is_opened_for_the_servers_user(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, closed: str
) -> None:
    for name in ("data", "programs"):
        (open_folder / name).mkdir(mode=0o700 if name == closed else 0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with caplog.at_level(logging.WARNING):
        room._say_what_is_opened(open_folder / "data" / "postgres", open_folder / "programs" / "server.py")
    assert f": {open_folder / closed}. Set DATABASE_URL" in caplog.text
