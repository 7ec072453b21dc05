"""Poolers are told apart by what they do, not by what they are called."""

from contextlib import nullcontext
from typing import Any

import pytest

from cronzimus.common.db import Database, open_session
from cronzimus.common.pooler import _shares, refuse_shared_sessions
from cronzimus.errors import ConfigError, DatabaseUnavailable
from tests.fixtures.pooler import pgbouncer

AWAY = "postgresql://nobody@127.0.0.1:1/x"


def test_a_server_of_its_own_is_taken(database_url: str) -> None:
    refuse_shared_sessions(database_url)


def test_a_server_that_is_away_is_said_to_be_away() -> None:
    with pytest.raises(DatabaseUnavailable):
        refuse_shared_sessions(AWAY)


@pytest.mark.parametrize("size", ["1", "20"])
def test_a_transaction_pooler_is_refused(database_url: str, size: str) -> None:
    with pgbouncer(database_url, "transaction", default_pool_size=size) as url:
        with pytest.raises(ConfigError, match="pool_mode = session"):
            refuse_shared_sessions(url)


def test_a_transaction_pooler_that_is_busy_is_refused(database_url: str) -> None:
    """Others hold and give back server connections meanwhile, in turn."""
    with pgbouncer(database_url, "transaction", server_round_robin="1") as url:
        with open_session(url, "cz-other") as other, open_session(url, "cz-another") as another:
            with other.transaction():
                other.execute("SELECT 1")
                another.execute("SELECT 1")
                with pytest.raises(ConfigError):
                    refuse_shared_sessions(url)


class Elsewhere:
    """A session that is given a server connection without any mark, as when others took the marked one."""

    def execute(self, sql: str, params: object = None) -> "Elsewhere":
        """Do nothing."""
        return self

    def fetchone(self) -> tuple[None]:
        """No mark."""
        return (None,)

    def transaction(self) -> nullcontext[None]:
        """Nothing to begin."""
        return nullcontext()


def test_a_mark_that_is_lost_tells_as_much_as_one_that_is_seen() -> None:
    lost: Any = Elsewhere()
    assert _shares(lost, lost)


def test_a_session_pooler_is_taken_and_guarded(database_url: str) -> None:
    with pgbouncer(database_url, "session") as url:
        refuse_shared_sessions(url)
        pool = Database(url, 1, statement_timeout=1.5)
        assert pool.fetch_one("SHOW statement_timeout") == ("1500ms",)
        pool.close()
