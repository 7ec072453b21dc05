"""What executes in a process: whose runs, under which name, and how it finishes."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from cronzimus.executing import Executing, beside_scheduler
from cronzimus.models.run import Offer
from cronzimus.pools import Pools
from cronzimus.services.definitions import Definitions
from cronzimus.services.processes import Processes
from cronzimus.settings import Settings
from cronzimus.utils.ids import new_id
from tests.heart import Heart, until
from tests.services.crew import Crew


class Bench:
    """Makes what executes, and ends it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.displaced = threading.Event()
        self.made: list[tuple[Executing, Pools]] = []

    def __call__(self, *, hosted: bool = False, name: str = "vm:1", **sections: Any) -> Executing:
        values = {"database": {"url": self.url}, "message_queue": {"url": "memory://"}, **sections}
        settings = Settings.model_validate(values)
        pools = Pools(self.url, settings.database)
        definitions = Definitions(pools.ledger, lambda _: None)
        executing = beside_scheduler(
            settings,
            pools,
            definitions,
            ["cronzimus.controller"],
            name=name,
            hosted=hosted,
            on_displaced=self.displaced.set,
        )
        self.made.append((executing, pools))
        return executing

    def close(self) -> None:
        for executing, pools in self.made:
            executing.finish(0)
            executing.living.stop()
            pools.close()


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    bench = Bench(database_url)
    yield bench
    bench.close()


@pytest.mark.parametrize(
    ("local", "enabled", "takes"),
    [
        (True, False, ("scheduler",)),
        (True, True, ("scheduler", "workers")),
        (False, True, ("workers",)),
        (False, False, ()),
    ],
)
def test_settings_say_whose_runs_are_taken(
    bench: Bench, local: bool, enabled: bool, takes: tuple[str, ...]
) -> None:
    executing = bench(scheduler={"local_runs": local}, worker={"enabled": enabled})
    assert executing.takes == takes
    executing.start()
    assert executing.worker.alive is bool(takes) and executing.intake.loop.alive is bool(takes)
    executing.offer([Offer(new_id(), None)])
    assert local or executing.line.waiting == 0


@pytest.mark.parametrize(
    ("worker_id", "hosted", "name"),
    [(None, False, "vm:1"), (None, True, "vm:1"), ("w1", False, "w1"), ("w1", True, "w1:")],
)
def test_several_processes_of_one_host_do_not_share_a_name(
    bench: Bench, worker_id: str | None, hosted: bool, name: str
) -> None:
    executing = bench(hosted=hosted, worker={"worker_id": worker_id})
    assert executing.worker_id.startswith(name) and (executing.worker_id == name or name.endswith(":"))


def test_waiting_for_a_name_ends_when_nobody_wants_it_any_more(bench: Bench, database_url: str) -> None:
    executing, given_up = bench(name="a"), threading.Event()
    crew = Crew(bench.made[0][1].service)
    crew.come("a", host="elsewhere")
    waiting = threading.Thread(target=executing.arrive, args=(given_up,))
    waiting.start()
    given_up.set()
    waiting.join(20)
    assert not waiting.is_alive() and crew.states() == {"a/1": "alive"}


def test_run_is_executed_and_its_worker_named(bench: Bench, heart: Heart) -> None:
    executing = bench(name="a")
    executing.arrive(threading.Event())
    executing.start()
    heart.add(trigger={"type": "manual"})
    run = heart.runs.trigger("a", by="t")
    executing.offer([Offer(run.id, None)])
    until(lambda: heart.state_of(run.id) == "success")
    assert heart.history.run(run.id).worker_id == "a"


def given_to(heart: Heart, worker_id: str) -> UUID:
    """A run that was dispatched to a worker and not begun."""
    heart.add("away", trigger={"type": "manual"}, runs_on="workers")
    run_id = heart.runs.trigger("away", by="t").id
    statement = "UPDATE cronzimus.runs SET worker_id = %s, dispatched_at = clock_timestamp() WHERE id = %s"
    heart.database.execute(statement, [worker_id, run_id])
    return run_id


def test_drain_of_a_process_that_serves_gives_back_and_goes_on(bench: Bench, heart: Heart) -> None:
    executing = bench(name="a", worker={"enabled": True})
    executing.arrive(threading.Event())
    executing.start()
    run_id = given_to(heart, "a")
    Processes(heart.database).drain("a")
    executing.living.life.step()
    assert heart.history.run(run_id).worker_id is None
    assert executing.worker.alive


def test_finish_gives_back_what_was_not_begun(bench: Bench, heart: Heart) -> None:
    executing = bench(name="a")
    executing.arrive(threading.Event())
    executing.start()
    run_id = given_to(heart, "a")
    executing.finish(0)
    assert heart.history.run(run_id).dispatched_at is None and not executing.worker.alive


def test_displaced_life_gives_back_nothing_of_its_successor(bench: Bench, heart: Heart) -> None:
    executing = bench(name="a")
    executing.arrive(threading.Event())
    executing.start()
    crew = Crew(heart.database)
    crew.silence(16)
    assert crew.life("a", 5, host="elsewhere").arrive() is None
    run_id = given_to(heart, "a")
    executing.living.life.step()
    assert bench.displaced.is_set()
    executing.finish(None)
    assert heart.history.run(run_id).worker_id == "a"
    assert crew.states()["a/5"] == "alive"


def test_cancel_reaches_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    executing, heard = bench(), []
    monkeypatch.setattr(executing.worker, "cancel", heard.append)
    run_id = new_id()
    executing.cancel(str(run_id))
    assert heard == [run_id]
