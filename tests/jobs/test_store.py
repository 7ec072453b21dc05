"""APScheduler's view of the timetable: it reads, it wakes up, and it can destroy nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from cronzimus.errors import Conflict
from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.executor import FiringExecutor
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.jobs.store import PostgresJobStore
from tests.heart import Heart, until

HOURLY = {"type": "interval", "hours": 1}


@pytest.fixture
def scheduler(heart: Heart) -> Iterator[BackgroundScheduler]:
    """A real APScheduler on the plug-ins."""
    wake_up = WakeUp(
        heart.firing, lambda: heart.leadership.term, heart.offered.extend, batch_size=100, poll_seconds=0.05
    )
    scheduler = BackgroundScheduler(
        jobstores={"default": PostgresJobStore(wake_up, heart.timetable)},
        executors={"default": FiringExecutor(wake_up)},
        timezone="UTC",
    )
    scheduler.start(paused=True)
    yield scheduler
    scheduler.shutdown(wait=True)


def test_scheduler_fires_through_the_ledger(heart: Heart, scheduler: BackgroundScheduler) -> None:
    heart.add(trigger=HOURLY)
    due_at = heart.make_due("a")
    scheduler.resume()
    until(lambda: heart.offered)
    assert [row.due_at for row in heart.history.firings(decision="fired").items] == [due_at]


def test_job_that_will_not_fire_again_stays_on_the_timetable(
    heart: Heart, scheduler: BackgroundScheduler
) -> None:
    heart.add(trigger={"type": "date", "run_date": "2020-01-01T00:00:00Z", "misfire": "run_once"})
    scheduler.resume()
    until(lambda: heart.timetable.get("a").status == "finished")
    assert heart.timetable.list().total == 1


def test_paused_scheduler_fires_nothing(heart: Heart, scheduler: BackgroundScheduler) -> None:
    heart.add(trigger=HOURLY)
    heart.make_due("a")
    scheduler.wakeup()
    assert heart.history.firings().total == 0


def test_listing_through_apscheduler_deletes_nothing(heart: Heart, scheduler: BackgroundScheduler) -> None:
    heart.add("good", trigger=HOURLY)
    heart.add("gone", trigger=HOURLY, params={"func": "no.such.module:f"})
    assert {job.id for job in scheduler.get_jobs()} >= {"good"}
    assert heart.timetable.list().total == 2


def test_one_job_is_found_as_apscheduler_knows_jobs(heart: Heart, scheduler: BackgroundScheduler) -> None:
    heart.add(trigger=HOURLY)
    job = scheduler.get_job("a")
    assert job is not None and job.id == "a" and job.next_run_time > datetime.now(UTC)
    assert scheduler.get_job("nope") is None


def test_job_added_through_apscheduler_is_stored_as_a_definition(
    heart: Heart, scheduler: BackgroundScheduler
) -> None:
    job = JobFactory.create_job("cronzimus.controller.task:task", "interval", {"hours": 1}, "a")
    scheduler.add_job(**job)
    assert heart.timetable.get("a").definition["trigger"]["hours"] == 1
    with pytest.raises(Conflict):
        scheduler.add_job(**job)


def test_taking_everything_away_is_refused(heart: Heart, scheduler: BackgroundScheduler) -> None:
    heart.add(trigger=HOURLY)
    with pytest.raises(NotImplementedError):
        scheduler.remove_all_jobs()
    assert heart.timetable.list().total == 1
