"""Workers die, freeze and are cut off, brokers go away: nothing is lost, and no fenced effect is there twice."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.brokers import Broker, Rabbit, Redis
from tests.e2e.conftest import NewCrew
from tests.e2e.fleet import Crew, afar, broker_url, by_hand
from tests.e2e.mischief import Mischief, Step
from tests.e2e.postgres import Postgres, own_postgres
from tests.e2e.proxy import Proxy
from tests.e2e.trial import RELENTLESS, found_sound, job
from tests.e2e.waiting import LONG, let_pass, scaled, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500 if LONG else 150)]

LEASE = {
    "worker__lease_seconds": 3,
    "worker__heartbeat_interval_seconds": 1,
    "worker__worker_timeout_seconds": 5,
}
TRIED = {"max_attempts": 3, "backoff": 0.2, **RELENTLESS}
BRIM = {**by_hand(func="witness:work", args=[1.5])}
WORK_SECONDS = scaled(5, 15)
CUT_SECONDS = scaled(6, 30)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server that this one test may break, with connections enough for six processes."""
    with own_postgres(max_connections=200) as server:
        yield server


def load() -> dict[str, Any]:
    """What goes on all the time: six runs a second, half of them fenced."""
    plain = {f"plain-{n}": afar(job(1, "work", 0.1, **TRIED)) for n in range(3)}
    fenced = {f"fenced-{n}": afar(job(1, "fenced", 0.1, **TRIED)) for n in range(3)}
    return {**plain, **fenced}


def ready(crew: Crew, *, serving: int = 1) -> None:
    """Processes that serve, the table of effects, and a job that fills every place."""
    for _ in range(serving):
        crew.serve()
    crew.trial.keep_effects()
    crew.add("brim", BRIM)


def succeeds(crew: Crew, run_id: str, attempt: int) -> str:
    """The worker that ended this run well, in that attempt."""
    told = crew.wait_state(run_id, "success", within=25 + WORK_SECONDS)
    assert told.attempt == attempt
    return told.worker_id or ""


def test_run_of_a_killed_worker_is_lost_or_tried_elsewhere(
    new_crew: NewCrew, calm_postgres: Postgres
) -> None:
    jobs = {
        **load(),
        "once": afar(job(None, "work", WORK_SECONDS), labels={"group": "doomed"}),
        "again": afar(job(None, "work", WORK_SECONDS, max_attempts=2, backoff=0)),
    }
    crew = new_crew(calm_postgres, "procrastinate", jobs, **LEASE)
    ready(crew)
    crew.worker("doomed", 8, labels="group=doomed")
    crew.wait_alive()
    crew.trial.begin()
    once, again = (crew.trial.run(crew.front, name) for name in ("once", "again"))
    with crew.trial.fault():
        crew.dismiss("doomed")
        killed = time.time()
        crew.worker("other", 8)
        lost = crew.wait_state(once, "lost", within=20)
        print(f"lost {time.time() - killed:.1f} s after the kill")
    assert (lost.attempt, lost.worker_id) == (1, "doomed")
    assert succeeds(crew, again, 2) == "other"
    crew.worker("doomed", 8, labels="group=doomed")
    crew.wait_alive("doomed")
    found_sound(crew.trial)
    crew.capacity_is_back("brim")


def test_report_of_a_worker_that_woke_too_late_is_refused(new_crew: NewCrew, calm_postgres: Postgres) -> None:
    freeze = {"max_attempts": 3, "backoff": 0}
    jobs = {
        **load(),
        "late": afar(job(None, "work", 2, **freeze)),
        "late-fenced": afar(job(None, "fenced", 2, **freeze)),
    }
    crew = new_crew(calm_postgres, "procrastinate", jobs, **LEASE)
    ready(crew)
    frozen = crew.worker("frozen", 8)
    crew.wait_alive()
    crew.trial.begin()
    runs = [crew.trial.run(crew.front, name) for name in ("late", "late-fenced")]
    with crew.trial.fault():
        frozen.send(signal.SIGSTOP)
        crew.worker("other", 8)
        try:
            assert [succeeds(crew, run_id, 2) for run_id in runs] == ["other", "other"]
            before = history_of(crew, runs)
        finally:
            frozen.send(signal.SIGCONT)
        crew.wait_alive("frozen")
        let_pass(3)
    assert history_of(crew, runs) == before
    assert crew.trial.query("SELECT attempt FROM public.effects WHERE run_id = %s", runs[1]) == [(2,)]
    found_sound(crew.trial)
    crew.capacity_is_back("brim")


def history_of(crew: Crew, run_ids: list[str]) -> list[tuple[Any, ...]]:
    """All that the ledger says of these runs and their attempts."""
    runs = "SELECT * FROM cronzimus.runs WHERE id = ANY(%s::uuid[]) ORDER BY id"
    attempts = "SELECT * FROM cronzimus.attempts WHERE run_id = ANY(%s::uuid[]) ORDER BY run_id, attempt"
    return [*crew.trial.query(runs, run_ids), *crew.trial.query(attempts, run_ids)]


@contextmanager
def carrier(engine: str, postgres: Postgres) -> Iterator[tuple[str | None, Step, Step]]:
    """The address of something that carries deliveries, how to take it away, and how to bring it back.

    A RabbitMQ of one's own needs half a minute to come back, so the short form cuts the way to the shared one.
    """
    if engine == "procrastinate":
        yield None, postgres.kill, postgres.start
    elif engine == "redis" or LONG:
        broker: Broker = Redis() if engine == "redis" else Rabbit()
        try:
            yield broker.url, broker.kill, broker.start
        finally:
            broker.remove()
    else:
        url = broker_url("rabbit")
        proxy = Proxy(urlsplit(url).port or 5672)
        yield url.replace(f":{proxy.upstream_port}", f":{proxy.port}"), proxy.cut, proxy.heal
        proxy.close()


@pytest.mark.parametrize("engine", ["procrastinate", "redis", "rabbit"])
def test_broker_that_dies_under_load_costs_time_only(
    engine: str, new_crew: NewCrew, postgres: Postgres
) -> None:
    with carrier(engine, postgres) as (url, away, back):
        crew = new_crew(postgres, engine, load(), url, **LEASE)
        ready(crew)
        for name in ("one", "two"):
            crew.worker(name, 4)
        crew.wait_alive()
        crew.trial.begin()
        with crew.trial.fault():
            away()
            let_pass(CUT_SECONDS)
            back()
            returned = time.time()
            until(lambda: len(crew.trial.starts("fenced-0", returned + 1)) > 1, 30, "runs to go on")
            print(f"{engine}: runs go on {time.time() - returned:.1f} s after its return")
        until(lambda: crew.front.is_ready(), 10, "the service to be ready")
        found_sound(crew.trial)
        crew.capacity_is_back("brim")


def test_worker_cut_off_from_the_database_is_replaced(
    new_crew: NewCrew, postgres: Postgres, proxy: Proxy
) -> None:
    crew = new_crew(postgres, "procrastinate", load(), **LEASE)
    ready(crew)
    direct = crew.trial.fleet.environment["DATABASE_URL"]
    crew.worker("cut", 4, DATABASE_URL=direct.replace(str(postgres.port), str(proxy.port)))
    crew.worker("other", 4)
    crew.wait_alive()
    crew.trial.begin()
    with crew.trial.fault():
        proxy.blackhole()
        let_pass(CUT_SECONDS)
        proxy.heal()
        crew.wait_alive("cut")
    let_pass(2)
    found_sound(crew.trial)
    crew.capacity_is_back("brim")


@pytest.mark.skipif(not LONG, reason="takes a quarter of an hour: CHAOS=long")
@pytest.mark.parametrize("engine", ["redis", "rabbit", "procrastinate"])
def test_everything_at_once(engine: str, new_crew: NewCrew, postgres: Postgres, proxy: Proxy) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    policy = {**TRIED, "timeout": 5.0}
    jobs = {f"plain-{n}": afar(job(1, "work", 0.2, **policy)) for n in range(10)}
    jobs |= {f"fenced-{n}": afar(job(1, "fenced", 0.2, **policy)) for n in range(10)}
    with ExitStack() as stack:
        url, away, back = stack.enter_context(carrier(engine, postgres))
        crew = new_crew(postgres, engine, jobs, url, **LEASE)
        ready(crew, serving=2)
        direct = crew.trial.fleet.environment["DATABASE_URL"]
        for name in ("ada", "ben", "cleo"):
            crew.worker(name, 6)
        crew.worker("dan", 6, DATABASE_URL=direct.replace(str(postgres.port), str(proxy.port)))
        crew.wait_alive()
        crew.trial.begin()
        mischief = Mischief(crew, seed, (away, back), proxy)
        with crew.trial.fault(recovery=40):
            mischief.go_on(EVERYTHING_SECONDS)
        until(lambda: crew.front.is_ready(), 30, "a service to be ready")
        table(crew, mischief)
        crew.wait_alive(within=60)
        found_sound(crew.trial)
        crew.capacity_is_back("brim", within=40)


EVERYTHING_SECONDS = float(os.environ.get("CHAOS_SECONDS", 600))


def table(crew: Crew, mischief: Mischief) -> None:
    """The figures of what was done and what came of it."""
    print("broken:", ", ".join(f"{name} {times} ×" for name, times in mischief.done.items()))
    sql = (
        "SELECT split_part(job_id, '-', 1), state, attempt, count(*)"
        " FROM cronzimus.runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    print(f"{'jobs':8} {'state':10} {'attempt':>7} {'runs':>7}")
    for jobs, state, attempt, runs in crew.trial.query(sql):
        print(f"{jobs:8} {state:10} {attempt:7} {runs:7}")
    states = "SELECT state, count(*) FROM cronzimus.attempts GROUP BY 1 ORDER BY 1"
    print("attempts:", dict(crew.trial.query(states)))
    print("effects:", crew.trial.query("SELECT count(*), count(DISTINCT run_id) FROM public.effects")[0])
