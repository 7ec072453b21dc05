"""The extension keeps the house's plug-ins through everything Flask-APScheduler does with an app."""

from flask import Flask

from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.jobs.scheduler import LedgerScheduler
from tests.heart import Heart, until


def test_scheduler_fires_after_it_was_given_an_app(heart: Heart) -> None:
    heart.add(trigger={"type": "interval", "hours": 1})
    due_at = heart.make_due("a")
    wake_up = WakeUp(
        heart.firing, lambda: heart.leadership.term, heart.offered.extend, batch_size=100, poll_seconds=0.05
    )
    scheduler = LedgerScheduler(
        wake_up, JobFactory(allowed_functions=["cronzimus"]), heart.timetable, heart.runs
    )
    scheduler.init_app(Flask(__name__))
    scheduler.start()
    scheduler.lead()
    until(lambda: heart.offered)
    scheduler.shutdown()
    assert [row.due_at for row in heart.history.firings(decision="fired").items] == [due_at]
