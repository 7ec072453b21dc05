"""Numbers for people, from real rows."""

from datetime import UTC, datetime, timedelta

import pytest

from cronzimus.models.insight import Hour
from cronzimus.models.run import RunState
from cronzimus.models.worker import Presence, WorkerRole
from cronzimus.services.insight import Insight
from cronzimus.services.presence import Life
from cronzimus.utils.ids import new_id
from tests.alerting import raised
from tests.heart import Heart

HOUR = timedelta(hours=1)


@pytest.fixture
def insight(heart: Heart) -> Insight:
    """The service on the heart's database."""
    return Insight(heart.database)


def fired(heart: Heart, job_id: str = "a") -> None:
    heart.make_due(job_id)
    assert heart.fire()


def test_an_empty_house(insight: Insight) -> None:
    seen = insight.overview()
    assert (seen.jobs, seen.waiting, seen.running, seen.upcoming, seen.failures) == ({}, 0, (), (), ())
    assert len(seen.hours) == 24 and not any(hour.fired for hour in seen.hours)
    assert seen.leader is not None and (seen.leader.name, seen.leader.leads) == ("me", True)


def test_the_house_at_a_glance(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    heart.add("b", trigger={"type": "interval", "hours": 30, "start_date": "2000-01-01T00:00:00Z"})
    heart.add("c", trigger={"type": "interval", "minutes": 5})
    heart.timetable.pause("c", by="test")
    heart.make_due("b", "clock_timestamp() + interval '26 hours'")
    fired(heart)
    run = heart.runs.trigger("b", by="test")
    (claim,) = heart.claim([offer for offer in heart.offered if offer.run_id == run.id])
    seen = insight.overview()
    assert seen.jobs == {"active": 2, "paused": 1}
    assert (seen.waiting, seen.running_count) == (1, 1)
    assert [(one.id, one.usual_seconds) for one in seen.running] == [(claim.run_id, None)]
    assert [one.job_id for one in seen.upcoming] == ["a"] and seen.upcoming_count == 1
    assert seen.hours[-1].fired == 1


def test_failures_are_shown_and_counted(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    for state in (RunState.FAILED, RunState.SUCCESS, RunState.TIMEOUT):
        heart.runs.trigger("a", by="test")
        (claim,) = heart.claim([heart.offered[-1]])
        heart.end(claim, state, error={"message": str(state)})
    seen = insight.overview()
    assert [one.state for one in seen.failures] == ["timeout", "failed"]
    assert seen.hours[-1].failed == 2


def test_processes_are_counted_by_how_they_stand(heart: Heart, insight: Insight) -> None:
    for number in range(3):
        me = Presence(f"vm:{number}", new_id(), "vm", "vm", number, (WorkerRole.SCHEDULER,), 1, "0")
        Life(heart.database, me).step()
    assert insight.overview().processes == {"alive": 3}
    Life(heart.database, me).leave()
    assert insight.overview().processes == {"alive": 2, "down": 1}


def test_open_alerts_are_counted(heart: Heart, insight: Insight) -> None:
    assert insight.overview().open_alerts == 0
    for subject, resolution in (("job/a", None), ("job/b", "it succeeded"), ("scheduler", None)):
        raised(heart.database, subject, resolution=resolution)
    assert insight.overview().open_alerts == 2


def test_usual_time_is_the_median_of_successes(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    for seconds in (1, 4, 100):
        heart.runs.trigger("a", by="test")
        (claim,) = heart.claim([heart.offered[-1]])
        heart.end(claim)
        heart.database.execute(
            "UPDATE cronzimus.runs SET started_at = ended_at - make_interval(secs => %s) WHERE id = %s",
            [seconds, claim.run_id],
        )
    heart.runs.trigger("a", by="test")
    heart.claim([heart.offered[-1]])
    (running,) = insight.overview().running
    assert running.usual_seconds == pytest.approx(4)


def test_hours_that_are_over_are_counted_once(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    fired(heart)
    now = datetime.now(UTC).replace(minute=30) + 3 * HOUR
    counted = insight.hours(6, now)
    assert [hour.fired for hour in counted] == [0, 0, 1, 0, 0, 0] or counted[1].fired + counted[2].fired == 1
    heart.database.execute("DELETE FROM cronzimus.firings")
    assert insight.hours(6, now) == counted
    assert sum(hour.fired for hour in Insight(heart.database).hours(6, now)) == 0


def test_the_hour_that_ended_last_is_counted_again(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    now = datetime.now(UTC) + HOUR
    assert insight.hours(3, now)[1].fired == 0
    fired(heart)
    assert insight.hours(3, now)[1].fired == 1


def test_hours_are_whole_and_in_order(insight: Insight) -> None:
    now = datetime(2026, 3, 29, 3, 25, tzinfo=UTC)
    assert insight.hours(3, now) == tuple(Hour(datetime(2026, 3, 29, hour, tzinfo=UTC)) for hour in (1, 2, 3))


def test_recent_runs_of_many_jobs_oldest_first(heart: Heart, insight: Insight) -> None:
    for job_id in ("a", "b"):
        heart.add(job_id)
    runs = [heart.runs.trigger("a", by="test") for _ in range(4)]
    recent = insight.recent(["a", "b"], each=3)
    assert [one.id for one in recent["a"]] == [run.id for run in runs[1:]]
    assert recent["b"] == () and insight.recent([]) == {}


def test_days_count_outcomes(heart: Heart, insight: Insight) -> None:
    heart.add("a")
    for state in (RunState.SUCCESS, RunState.SUCCESS, RunState.FAILED):
        heart.runs.trigger("a", by="test")
        (claim,) = heart.claim([heart.offered[-1]])
        heart.end(claim, state)
    today = datetime.now(UTC).date()
    days = insight.days("a", 7, today)
    assert [day.day for day in days] == [today - timedelta(days=back) for back in reversed(range(7))]
    assert sum(day.states.get("success", 0) for day in days) == 2
    assert sum(day.states.get("failed", 0) for day in days) == 1
    assert insight.days("b", 2, today)[0].states == {}
