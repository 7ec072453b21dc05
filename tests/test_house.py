"""One process's house: what it builds, when it stands by, and how it leaves."""

import faulthandler
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from apscheduler.schedulers.base import STATE_RUNNING

from cronzimus.common.migrate import Migrations
from cronzimus.errors import ConfigError, DatabaseUnavailable
from cronzimus.house import House
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.models.run import RunState
from cronzimus.settings import Settings
from cronzimus.watchdog import EXIT_CODE
from tests.heart import until

RAN = threading.Event()


def settings_for(url: str, **sections: Any) -> Settings:
    values: dict[str, Any] = {
        "database": {"url": url},
        "scheduler": {"sample_job": False, "allowed_functions": ("cronzimus.controller", "tests.test_house")},
        "worker": {"drain_seconds": 5},
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return Settings.assembled(values)


def note(db: Any) -> str:
    """A task function that says that it ran."""
    RAN.set()
    return f"{db.fetch_one('SELECT current_database()')[0]}"


JOB = JobFactory.create_job(note, "interval", {"seconds": 1}, "note")

Build = Callable[..., House]


@pytest.fixture
def build(database_url: str) -> Iterator[Build]:
    """Builds houses on one database and stops them all."""
    houses: list[House] = []

    def build(*jobs: dict[str, Any], **sections: Any) -> House:
        houses.append(House(settings_for(database_url, **sections), jobs))
        return houses[-1]

    yield build
    for house in houses:
        house.stop()


def leads(house: House) -> bool:
    return house.leadership.term is not None


def test_started_house_fires_and_executes(build: Build) -> None:
    house = build(JOB)
    house.start()
    run = until(lambda: next(iter(house.history.runs(state="success").items), None))
    assert run.cause == "schedule" and run.due_at is not None and run.result.startswith("cz_test_")
    assert house.explain.why("note", run.due_at).decision == "fired"
    until(lambda: house.readiness.report().ready)


def test_two_houses_share_the_work_and_one_leads(build: Build) -> None:
    one, two = build(JOB), build(JOB)
    one.start()
    until(lambda: leads(one))
    two.start()
    until(lambda: two.readiness.report().components["scheduler"] == "standby")
    until(lambda: one.history.runs(state="success").total >= 2)
    dues = [run.due_at for run in one.history.runs().items]
    assert len(set(dues)) == len(dues) and not leads(two)
    one.stop()
    until(lambda: leads(two))
    before = two.history.runs(state="success").total
    until(lambda: two.history.runs(state="success").total > before)


def test_manual_run_on_a_replica_that_stands_by_is_executed_there(build: Build) -> None:
    one, two = build(JOB), build(JOB)
    one.start()
    until(lambda: leads(one))
    two.start()
    two.timetable.pause("note", by="t")
    run = two.runs.trigger("note", force=True, by="t")
    until(lambda: two.history.run(run.id).state == RunState.SUCCESS)


def test_declared_job_is_merged_and_leaves_with_its_declaration(build: Build) -> None:
    house = build(JOB)
    house.start()
    assert [(job.id, job.source) for job in house.timetable.list().items] == [("note", "code")]
    house.stop()
    later = build()
    later.start()
    assert later.timetable.list().total == 0


def test_wrong_declaration_is_told_before_anything_starts(build: Build) -> None:
    with pytest.raises(KeyError):
        build({"id": "x", "trigger": "interval"})


def test_module_that_registered_a_job_in_code_is_allowed(build: Build) -> None:
    house = build(JOB, scheduler={"allowed_functions": ("cronzimus.controller",)})
    house.start()
    until(lambda: house.history.runs(state="success").total >= 1)
    assert house.timetable.get("note").status == "active"


def test_stopping_twice_and_before_the_start_is_fine(build: Build) -> None:
    house = build()
    house.stop()
    house.stop()


def test_drained_house_hands_over_and_is_not_ready(build: Build) -> None:
    house = build(JOB)
    house.start()
    until(lambda: leads(house))
    house.drain()
    assert not leads(house) and house.readiness.report().status == "draining"
    current = house.leadership.current()
    assert current is not None and current[2] is False


def test_database_that_is_away_is_waited_for(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build(JOB)
    ensure, away = Migrations.ensure, threading.Event()

    def not_yet(migrations: Migrations, *, may_change: bool) -> None:
        if not away.is_set():
            raise DatabaseUnavailable("not yet")
        ensure(migrations, may_change=may_change)

    monkeypatch.setattr(Migrations, "ensure", not_yet)
    house.start()
    assert not house.readiness.report().ready
    assert house.readiness.report().components["schema"] == "waiting"
    away.set()
    until(lambda: house.readiness.report().ready)


def test_schema_that_is_not_there_is_refused_without_auto_migrate(empty_database_url: str) -> None:
    house = House(
        settings_for(empty_database_url, database={"url": empty_database_url, "auto_migrate": False})
    )
    with pytest.raises(ConfigError, match="cronzimus db upgrade"):
        house.start()
    house.stop()


def test_house_on_paper_answers_that_it_has_no_database() -> None:
    house = House.on_paper(settings_for("postgresql:///anything"))
    with pytest.raises(DatabaseUnavailable):
        house.timetable.list()
    assert not house.readiness.report().ready


def test_switched_off_scheduler_never_leads(build: Build) -> None:
    house = build(JOB, scheduler={"enabled": False})
    house.start()
    until(lambda: house.readiness.report().ready)
    assert not leads(house) and house.readiness.report().components["scheduler"] == "off"


def test_watchdog_ends_a_process_whose_wake_ups_stopped(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(scheduler={"watchdog_seconds": 1})
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    monkeypatch.setattr(faulthandler, "dump_traceback", lambda all_threads: None)
    house.start()
    until(lambda: house.scheduler.state == STATE_RUNNING)
    assert house.watchdog.trouble() is None
    house.scheduler.scheduler.pause()
    until(lambda: exits)
    assert exits[0] == EXIT_CODE


def test_watchdog_sees_a_dead_scheduler_and_dead_loops(build: Build) -> None:
    house = build()
    house.start()
    house.upkeep_loop.stop()
    assert house.watchdog.trouble() == "these loops died: upkeep"
    house.scheduler.shutdown()
    assert house.watchdog.trouble() == "the scheduler's thread died"


def test_cancel_heard_from_another_replica_reaches_the_worker(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(JOB)
    heard: list[Any] = []
    monkeypatch.setattr(house.worker, "cancel", heard.append)
    house.start()
    until(lambda: house.listener._session)
    house.timetable.pause("note", by="t")
    run = house.runs.trigger("note", force=True, by="t")
    house.database.execute("SELECT pg_notify('cronzimus_cancel', %s)", [str(run.id)])
    until(lambda: run.id in heard)


def test_run_row_is_plain_data(build: Build) -> None:
    house = build(JOB)
    house.start()
    run = until(lambda: next(iter(house.history.runs().items), None))
    assert replace(run, priority=3).priority == 3
