"""What commands without a service stand on: the settings, and the database itself."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from cronzimus.cli.command import Session
from cronzimus.cli.failures import TERMINATED
from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.config import load_settings
from cronzimus.errors import DatabaseUnavailable
from cronzimus.settings import Settings


def settings_of(session: Session) -> Settings:
    """The settings of this folder; raises ConfigError."""
    return load_settings(session.config_path, session.environment)


@contextmanager
def database_url(settings: Settings, *, may_create: bool = False) -> Iterator[str]:
    """The database's URL. The embedded server is shared with whoever runs it, else started meanwhile.

    Only with `may_create` an embedded database that does not exist is made. Raises DatabaseUnavailable.
    """
    given = settings.database.url
    if given is not None:
        yield given.get_secret_value()
        return
    folder = Path(settings.database.data_dir)
    if not may_create and not _holds_a_database(folder):
        raise DatabaseUnavailable(
            f"there is no database under {folder} yet; set DATABASE_URL or run `cronzimus db upgrade`"
        )
    with _unwinding_at_sigterm():
        embedded = EmbeddedPostgres(folder)
        try:
            yield embedded.start()
        finally:
            embedded.release()


def find_functions_here() -> None:
    """Let jobs name modules of the working folder, where a console script does not look by itself."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)


def _holds_a_database(folder: Path) -> bool:
    try:
        return (folder / "PG_VERSION").exists()
    except OSError as error:
        raise DatabaseUnavailable(f"the database under {folder} cannot be read: {error.strerror}") from None


@contextmanager
def _unwinding_at_sigterm() -> Iterator[None]:
    """A process that dies at once would leave the embedded server running for nobody."""

    def _leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
