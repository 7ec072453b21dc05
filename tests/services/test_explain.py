"""One sentence for every fate."""

from datetime import UTC, datetime, timedelta

import pytest

from cronzimus.errors import NotFound
from cronzimus.models.calendar import Calendar
from cronzimus.models.run import RunState
from cronzimus.services.calendars import Calendars
from tests.heart import Heart, definition

HOURLY = {"type": "interval", "hours": 1}


def test_fired_instant_tells_its_runs_story(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    due_at = heart.make_due("a")
    offers = heart.fire()
    assert "is waiting for a worker" in heart.explain.why("a", due_at).sentence
    (claim,) = heart.claim(offers)
    assert "is running (attempt 1 of 1)" in heart.explain.why("a", due_at).sentence
    heart.end(claim, RunState.FAILED, error={"message": "disk full"})
    answer = heart.explain.why("a", due_at)
    assert (
        "fired, run" in answer.sentence
        and "ended failed" in answer.sentence
        and "disk full" in answer.sentence
    )
    assert "decided by me" in answer.sentence and "under version 1" in answer.sentence
    assert answer.run is not None and answer.decision == "fired" and answer.due_at == due_at


def test_skipped_instant_tells_its_reason(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.timetable.pause("a", by="t")
    due_at = heart.make_due("a")
    heart.fire()
    answer = heart.explain.why("a", due_at)
    assert answer.reason == "paused" and "skipped (paused): the job was paused" in answer.sentence


def test_instant_inside_a_range_is_explained_by_the_range(heart: Heart) -> None:
    heart.add()
    due_at = heart.make_due("a", "date_trunc('second', clock_timestamp()) - interval '10 minutes'")
    heart.fire()
    answer = heart.explain.why("a", due_at + timedelta(seconds=30))
    assert (
        answer.decision == "missed" and "together with" in answer.sentence and "too late" in answer.sentence
    )


def test_instant_that_was_not_due_names_the_next(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.database.execute("UPDATE cronzimus.job_versions SET changed_at = changed_at - interval '1 day'")
    at = datetime.now(UTC).replace(minute=17, second=3, microsecond=0)
    answer = heart.explain.why("a", at)
    assert "was not due" in answer.sentence and "the next instant is" in answer.sentence
    assert answer.due_at is None and answer.decision is None


def test_future_and_undecided_instants_are_told_apart(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.database.execute("UPDATE cronzimus.job_versions SET changed_at = changed_at - interval '1 day'")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert "has not come yet" in heart.explain.why("a", hour + timedelta(hours=5)).sentence
    assert "no leader has decided it" in heart.explain.why("a", hour - timedelta(hours=5)).sentence


def test_time_before_and_after_a_job_existed(heart: Heart) -> None:
    job = heart.add(trigger=HOURLY)
    assert "did not exist yet" in heart.explain.why("a", job.created_at - timedelta(days=1)).sentence
    heart.timetable.remove("a", by="ann")
    assert "was deleted" in heart.explain.why("a", datetime.now(UTC) + timedelta(seconds=5)).sentence


def test_definition_that_cannot_be_loaded_is_said(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.database.execute("UPDATE cronzimus.job_versions SET definition = '{}'")
    assert "cannot be loaded" in heart.explain.why("a", datetime.now(UTC) + timedelta(days=1)).sentence


def test_pruned_run_is_said(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    due_at = heart.make_due("a")
    heart.fire()
    heart.database.execute("DELETE FROM cronzimus.runs")
    assert "is no longer kept" in heart.explain.why("a", due_at).sentence


def test_job_that_never_was_is_not_found(heart: Heart) -> None:
    with pytest.raises(NotFound):
        heart.explain.why("nope", datetime.now(UTC))


def test_replaced_definition_answers_for_its_own_time(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.timetable.replace(definition(trigger={"type": "manual"}), by="t")
    sentence = heart.explain.why("a", datetime.now(UTC) + timedelta(days=1)).sentence
    assert "was not due" in sentence and "next instant" not in sentence


def test_day_off_is_named_before_and_after(heart: Heart) -> None:
    calendars = Calendars(heart.database, heart.timetable)
    off = {"on": "10-31", "name": "Reformationstag"}
    calendars.add(Calendar.model_validate({"id": "de-be", "days": [off]}), by="ann")
    heart.add(trigger={"type": "cron", "expression": "0 9 31 10 *"}, calendar="de-be", business_day="next")
    due_at = datetime(datetime.now(UTC).year + 1, 10, 31, 9, tzinfo=UTC)
    said = heart.explain.why("a", due_at).sentence
    assert said.endswith("will be skipped: a day off, Reformationstag in calendar de-be.")
    heart.database.execute("UPDATE cronzimus.jobs SET next_due_at = '2025-10-31 09:00Z'")
    heart.fire()
    answer = heart.explain.why("a", datetime(2025, 10, 31, 9, tzinfo=UTC))
    assert (
        "skipped (calendar): it was a day off: Reformationstag in calendar de-be; moved to Sat 2025-11-01 09:00"
        in answer.sentence
    )


def test_blackout_is_named(heart: Heart) -> None:
    heart.add(blackouts=[{"start": "00:00", "end": "00:00", "reason": "stocktaking"}])
    due_at = heart.make_due("a")
    heart.fire()
    assert "skipped (blackout): it lay in a blackout: the blackout 'stocktaking' until" in (
        heart.explain.why("a", due_at).sentence
    )
