"""A real PostgreSQL for every test that asks: the one of TEST_DATABASE_URL, else an embedded one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from cronzimus.common.db import Database
from cronzimus.common.embedded import EmbeddedPostgres
from cronzimus.common.migrate import Migrations
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
    yield embedded.start()
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
    _administer(server_url, f"CREATE DATABASE {name}")
    Migrations(_url_of(server_url, name)).upgrade()
    yield name
    _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database of this test alone."""
    with copied(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a migrated database that the tests of one file share."""
    with copied(server_url, template) as url:
        yield url


@contextmanager
def copied(server_url: str, template: str) -> Iterator[str]:
    """A copy of a database for as long as it is needed."""
    name = f"cz_test_{uuid4().hex[:12]}"
    _administer(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _url_of(server_url, name)
    _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """The URL of a fresh database without any schema."""
    name = f"cz_empty_{uuid4().hex[:12]}"
    _administer(server_url, f"CREATE DATABASE {name}")
    yield _url_of(server_url, name)
    _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


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


def _administer(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _url_of(server_url: str, name: str) -> str:
    parts = conninfo_to_dict(server_url)
    user, host, port = (str(parts.get(key) or default) for key, default in _DEFAULTS)
    secret = f":{parts['password']}" if parts.get("password") else ""
    if host.startswith("/"):
        return f"postgresql://{user}{secret}@/{name}?host={host.replace('/', '%2F')}&port={port}"
    return f"postgresql://{user}{secret}@{host}:{port}/{name}"


_DEFAULTS = (("user", "postgres"), ("host", "127.0.0.1"), ("port", "5432"))
