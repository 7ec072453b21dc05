"""Runs a second through two workers, per engine: part A, the engine alone carrying empty jobs, the peer of ours.

`alone(engine, server, jobs)` is one figure of it. `python -m benchmarks.engines [jobs]` prints those that can be had.
"""

import asyncio
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu import Connection
from kombu.entity import Queue
from procrastinate import App, PsycopgConnector

from benchmarks.process import SPAWN, in_fresh_process, wait_until
from benchmarks.server import Server, server

WORKERS = 2
_AT_ONCE = 10
_BATCH = 100
_TASK = "benchmarks.empty"
_BROKERS = {
    "rabbitmq": ("BENCH_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": ("BENCH_REDIS_URL", "redis://127.0.0.1:6379/0"),
}
ENGINES = ("procrastinate", *_BROKERS)


def broker_url(engine: str) -> str | None:
    """Where the broker of an engine answers: as the environment says, else on this machine; None where it does not."""
    variable, here = _BROKERS[engine]
    url = os.environ.get(variable) or here
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=0)
    except Exception:
        return None
    return url


def alone(engine: str, measured: Server, jobs: int) -> float | None:
    """Empty jobs a second, from the first sent to the last done; None where the broker is not there.

    Each engine in its best honest form: procrastinate defers in batches and deletes what is done, Celery's workers
    execute in their own process, keep no results and prefetch.
    """
    if engine == "procrastinate":
        with measured.database(migrated=False) as url:
            return in_fresh_process(_procrastinate, url, jobs)
    url = broker_url(engine)
    return in_fresh_process(_celery, url, jobs) if url else None


def _procrastinate(url: str, jobs: int) -> float:
    app = _procrastinate_app(url)
    with app.open():
        app.schema_manager.apply_schema()
        defer = app.tasks[_TASK].batch_defer
        return _timed(_procrastinate_worker, url, jobs, lambda count: defer(*[{} for _ in range(count)]))


def _procrastinate_worker(url: str, done: Any) -> None:
    app = _procrastinate_app(url, done)

    async def _work() -> None:
        async with app.open_async():
            await app.run_worker_async(concurrency=_AT_ONCE, delete_jobs="always")

    asyncio.run(_work())


def _procrastinate_app(url: str, done: Any = None) -> App:
    app = App(connector=PsycopgConnector(conninfo=url, max_size=_AT_ONCE))

    @app.task(name=_TASK)
    async def _empty() -> None:
        _count(done)

    return app


def _celery(url: str, jobs: int) -> float:
    # The queue's name stands behind the URL, because a worker is told one thing.
    name = f"bench-{uuid4().hex[:8]}"
    app = _celery_app(f"{url}#{name}")
    with Connection(url) as connection:
        producer = connection.Producer()

        def _send(count: int) -> None:
            for _ in range(count):
                app.send_task(_TASK, producer=producer, ignore_result=True)

        try:
            return _timed(_celery_worker, f"{url}#{name}", jobs, _send)
        finally:
            Queue(name, channel=connection.default_channel).delete()


def _celery_worker(url: str, done: Any) -> None:
    warnings.simplefilter("ignore")  # that containers run as root is not what is measured
    app = _celery_app(url, done)
    options = {"without_mingle": True, "without_gossip": True, "without_heartbeat": True}
    app.Worker(pool="solo", loglevel="CRITICAL", quiet=True, **options).start()


def _celery_app(url: str, done: Any = None) -> Celery:
    address, _, queue = url.partition("#")
    app = Celery("bench", broker=address)
    app.conf.update(
        task_default_queue=queue,
        task_ignore_result=True,
        task_default_delivery_mode="transient",
        worker_prefetch_multiplier=64,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
    )

    @app.task(name=_TASK)
    def _empty() -> None:
        _count(done)

    return app


def _timed(worker: Callable[[str, Any], None], url: str, jobs: int, send: Callable[[int], Any]) -> float:
    """Jobs a second, once both workers have shown that they work."""
    counts = [SPAWN.Value("q", 0) for _ in range(WORKERS)]

    def _done() -> int:
        return sum(count.value for count in counts)

    with _workers(worker, url, counts):
        warm = 0
        while not all(count.value for count in counts):
            send(WORKERS)
            warm += WORKERS
            time.sleep(0.1)
        wait_until(lambda: _done() == warm)
        began = time.monotonic()
        for start in range(0, jobs, _BATCH):
            send(min(_BATCH, jobs - start))
        wait_until(lambda: _done() >= warm + jobs, pause=0.002)
        return jobs / (time.monotonic() - began)


@contextmanager
def _workers(worker: Callable[[str, Any], None], url: str, counts: list[Any]) -> Iterator[None]:
    processes: list[BaseProcess] = [SPAWN.Process(target=worker, args=(url, count)) for count in counts]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _count(done: Any) -> None:
    with done.get_lock():
        done.value += 1


def main(jobs: int = 5_000) -> None:
    """Print a line for each engine."""
    with server() as measured:
        for engine in ENGINES:
            figure = alone(engine, measured, jobs)
            told = "no broker" if figure is None else f"{figure:,.0f} empty jobs/s"
            sys.stdout.write(f"{engine}: {told}, alone, {WORKERS} workers\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
