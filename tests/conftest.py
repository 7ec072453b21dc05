"""A real PostgreSQL for every test that asks: the one of TEST_DATABASE_URL, else an embedded one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cronzimus.common.db import Database
from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.common.migrate import Migrations
from tests.fixtures.databases import Databases, administer, url_of
from tests.fixtures.process_log import restored_log
from tests.heart import Heart


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """No test speaks, or keeps a secret, in the next one."""
    with restored_log():
        yield


@pytest.fixture(scope="session")
def server_url(testrun_uid: str) -> Iterator[str]:
    """A server on which databases may be made and dropped; shared by all workers of one test run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    # Not below pytest's own folder: every new session of pytest closes that one to other users, and as
    # root the server runs as another user.
    home = Path(tempfile.gettempdir()) / f"cronzimus-tests-{testrun_uid}"
    embedded = EmbeddedPostgres(home / "postgres")
    url = embedded.start()
    # It holds nothing that anybody would miss after a crash of the machine.
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        administer(url, f"ALTER SYSTEM SET {setting} = off")
    administer(url, "SELECT pg_reload_conf()")
    yield url
    embedded.release()
    if not (home / "postgres" / "postmaster.pid").exists():
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, as a server started by root needs."""
    folder = Path(tempfile.mkdtemp(prefix="cronzimus-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a migrated, empty database to copy from; one for each worker."""
    name = f"cz_template_{uuid4().hex[:12]}"
    administer(server_url, f"CREATE DATABASE {name}")
    Migrations(url_of(server_url, name)).upgrade()
    yield name
    administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases(server_url: str, template: str) -> Iterator[Databases]:
    """Migrated, empty databases that the tests of one worker take turns with."""
    stock = Databases(server_url, template)
    yield stock
    stock.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a migrated, empty database of this test alone."""
    with databases.lent() as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(databases: Databases) -> Iterator[str]:
    """The URL of a migrated database that the tests of one file share."""
    with databases.lent() as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """The URL of a fresh database without any schema."""
    name = f"cz_empty_{uuid4().hex[:12]}"
    administer(server_url, f"CREATE DATABASE {name}")
    yield url_of(server_url, name)
    administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on a fresh, migrated database."""
    pool = Database(database_url, max_connections=5)
    yield pool
    pool.close()


@pytest.fixture
def heart(database: Database) -> Heart:
    """One replica's services, leading."""
    heart = Heart(database)
    heart.lead()
    return heart


@pytest.fixture
def other(database_url: str) -> Iterator[Heart]:
    """A second replica on the same database, with its own sessions."""
    database = Database(database_url, max_connections=3)
    yield Heart(database, name="other")
    database.close()
