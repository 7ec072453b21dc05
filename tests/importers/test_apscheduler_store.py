"""The store itself, written by the real library on SQLite and PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from cronzimus.errors import CronzimusError, Invalid
from cronzimus.importers.apscheduler import import_apscheduler
from cronzimus.importers.apscheduler_store import read_store


def write_store(url: str) -> None:
    """Three jobs through the real scheduler, one of them paused."""
    scheduler = BackgroundScheduler(timezone="Europe/Berlin")
    store = SQLAlchemyJobStore(url=url)
    scheduler.add_jobstore(store)
    scheduler.start(paused=True)
    scheduler.add_job("os.path:join", "cron", args=["a"], hour=2, day_of_week="sat,sun", id="nightly")
    scheduler.add_job("os.path:join", "interval", args=["a"], minutes=5, id="often", jitter=10)
    scheduler.add_job("os.path:join", "date", args=["a"], run_date="2030-01-01T00:00:00", id="once")
    scheduler.pause_job("often")
    scheduler.shutdown()
    store.engine.dispose()


def check(place: str) -> None:
    found = import_apscheduler(read_store(place))
    assert [(note.place, note.fate) for note in found.notes] == [
        ("nightly", "job"),
        ("often", "paused"),
        ("once", "job"),
    ]
    nightly, often, once = found.documents
    assert (nightly["trigger"]["day_of_week"], nightly["trigger"]["timezone"]) == ("sat,sun", "Europe/Berlin")
    assert (often["trigger"]["seconds"], often["trigger"]["jitter"], often["paused"]) == (300, 10, True)
    assert once["trigger"] == {"type": "date", "run_date": "2030-01-01T00:00:00+01:00"}


def test_a_store_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my jobs.sqlite"
    write_store(f"sqlite:///{path}")
    before = path.read_bytes()
    check(str(path))
    check(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_store_on_postgresql(database_url: str) -> None:
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    write_store(url)
    check(url)
    check(database_url)


def test_a_store_that_is_none(tmp_path: Path, database_url: str) -> None:
    empty = tmp_path / "empty.sqlite"
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute("CREATE TABLE other (i int)")
    for place, why in (
        (str(tmp_path / "gone"), "there is no such file"),
        (str(empty), "no such table"),
        ("mysql://u@h/d", "a store behind 'mysql' cannot be read here"),
        (database_url, "apscheduler_jobs"),
    ):
        with pytest.raises(CronzimusError, match=why):
            read_store(place)
    assert issubclass(Invalid, CronzimusError)
