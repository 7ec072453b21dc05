"""A real house on a benchmark's database: production settings, jobs written by one statement."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from cronzimus.common.db import Database
from cronzimus.common.logger import init_logger
from cronzimus.common.sql import queries
from cronzimus.house import House
from cronzimus.models.job import JobDefinition
from cronzimus.settings import Settings

SQL = queries("benchmarks", "queries.sql")
PATIENCE_SECONDS = 120.0


def settings(url: str, **server: Any) -> Settings:
    """The defaults of production, but for the modules whose functions jobs may name."""
    return Settings.assembled(
        {
            "environment": "production",
            "database": {"url": url},
            "scheduler": {"allowed_functions": ("cronzimus.controller", "benchmarks.tasks")},
            "server": {"host": "127.0.0.1", **server},
        }
    )


def guarded(url: str, token: str, **server: Any) -> Settings:
    """The same with one token that may read."""
    chosen = settings(url, **server)
    tokens = ({"name": "bench", "token": token, "scopes": ("read",)},)
    return chosen.model_copy(update={"api": chosen.api.model_validate({"auth": {"tokens": tokens}})})


@contextmanager
def living(url: str) -> Iterator[House]:
    """A house that leads; it is stopped at the end."""
    init_logger("WARNING")
    house = House(settings(url))
    house.start()
    try:
        wait_until(lambda: house.leadership.term is not None)
        yield house
    finally:
        house.stop()


def write_jobs(
    url: str,
    count: int,
    func: str,
    every_seconds: float,
    *,
    first: datetime,
    spread_seconds: float,
    policy: dict[str, Any] | None = None,
) -> None:
    """`count` jobs of one interval, the n-th of them due first at `first` plus its share of the spread."""
    trigger = {"type": "interval", "seconds": every_seconds}
    sample = JobDefinition.model_validate(
        {"id": "sample", "params": {"func": func}, "trigger": trigger, "policy": policy or {}}
    ).document()
    database = Database(url, 1, statement_timeout=None)
    values = {"count": count, "sample": Jsonb(sample), "first": first, "spread": spread_seconds}
    with database.transaction():
        database.execute(SQL["write_versions"], values)
        database.execute(SQL["write_jobs"], values)
    database.execute(SQL["tidy_jobs"])
    database.execute(SQL["tidy_versions"])
    database.close()


def wait_until(
    condition: Callable[[], bool], patience: float = PATIENCE_SECONDS, pause: float = 0.01
) -> float:
    """Look until the condition holds; the seconds it took. Raises TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > patience:
            raise TimeoutError(f"the condition did not hold within {patience:g} s")
        time.sleep(pause)
    return time.monotonic() - started
