"""Notifications are handed out, and a lost session is opened again."""

from queue import SimpleQueue

import pytest

from cronzimus.common.db import Database
from cronzimus.common.notify import Listener
from cronzimus.errors import DatabaseUnavailable

LISTEN = "LISTEN cz_one; LISTEN cz_two"


def listening(database: Database, heard: "SimpleQueue[str]") -> Listener:
    listener = Listener(
        database.url, LISTEN, {"cz_one": heard.put, "cz_two": lambda text: heard.put(f"two {text}")}
    )
    listener._session = listener._open()
    return listener


def test_notification_reaches_the_handler_of_its_channel(database: Database) -> None:
    heard: SimpleQueue[str] = SimpleQueue()
    listener = listening(database, heard)
    database.execute("SELECT pg_notify('cz_one', 'x'), pg_notify('cz_two', 'y'), pg_notify('cz_other', 'z')")
    listener.step()
    assert sorted([heard.get(timeout=5), heard.get(timeout=5)]) == ["two y", "x"]
    listener.close()


def test_lost_session_is_an_outage_and_then_opened_again(database: Database) -> None:
    heard: SimpleQueue[str] = SimpleQueue()
    listener = listening(database, heard)
    database.fetch_all(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cronzimus:listen'"
    )
    with pytest.raises(DatabaseUnavailable):
        listener.step()
    listener.step()
    database.execute("SELECT pg_notify('cz_one', 'back')")
    listener.step()
    assert heard.get(timeout=5) == "back"
    listener.close()


def test_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable):
        Listener("postgresql://postgres@127.0.0.1:1/none", LISTEN, {}).step()


def test_closing_twice_is_fine(database: Database) -> None:
    listener = listening(database, SimpleQueue())
    listener.close()
    listener.close()
