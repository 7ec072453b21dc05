"""One wake-up is one statement: ledger, runs and the next instant move together, or nothing does."""

from datetime import timedelta

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.leader import Term
from tests.heart import Heart

HOURLY = {"type": "interval", "hours": 1}


def ledger(heart: Heart, job_id: str = "a") -> list[tuple[str, str | None]]:
    page = heart.history.firings(job_id=job_id)
    return [(row.decision, row.reason) for row in reversed(page.items)]


def test_due_job_fires_into_a_row_and_a_pending_run(heart: Heart) -> None:
    heart.add()
    due_at = heart.make_due("a")
    (offer,) = heart.fire()
    run = heart.history.run(offer.run_id)
    (row,) = heart.history.firings().items
    assert (row.due_at, row.decision, row.run_id, row.decided_by, row.job_version) == (
        due_at,
        "fired",
        run.id,
        "me",
        1,
    )
    assert (run.state, run.cause, run.due_at, run.attempt, run.trace_id) == (
        "pending",
        "schedule",
        due_at,
        0,
        run.id.hex,
    )
    job = heart.timetable.get("a")
    assert job.next_due_at == due_at + timedelta(seconds=1)


def test_nothing_due_is_an_empty_batch(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    assert heart.firing.due(10).jobs == ()
    assert heart.firing.seconds_to_next() is None


def test_seconds_to_next_never_go_below_zero(heart: Heart) -> None:
    heart.add(trigger={"type": "interval", "hours": 1})
    wait = heart.firing.seconds_to_next()
    assert wait is not None and 0 < wait <= 3600
    heart.make_due("a", "clock_timestamp() - interval '1 day'")
    assert heart.firing.seconds_to_next() == 0


def test_same_wake_up_committed_twice_fires_once(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    batch = heart.firing.due(10)
    plans = [heart.firing.decide(job, batch.now) for job in batch.jobs]
    term = heart.leadership.term
    assert term is not None
    first, second = heart.firing.commit(term, plans), heart.firing.commit(term, plans)
    assert len(first or []) == 1 and second == []
    assert heart.history.runs().total == 1


def test_instant_that_has_its_row_starts_nothing_again(heart: Heart) -> None:
    heart.add()
    due_at = heart.make_due("a")
    heart.fire()
    heart.make_due("a", f"'{due_at.isoformat()}'::timestamptz")
    heart.fire()
    rows = [row for row in heart.history.firings(job_id="a").items if row.due_at == due_at]
    assert len(rows) == 1
    assert len([run for run in heart.history.runs().items if run.due_at == due_at]) == 1


def test_stale_epoch_writes_nothing(heart: Heart, other: Heart) -> None:
    heart.add()
    stale = heart.leadership.term
    assert stale is not None
    heart.make_due("a")
    batch = heart.firing.due(10)
    plans = [heart.firing.decide(job, batch.now) for job in batch.jobs]
    heart.leadership.resign()
    other.lead()
    assert heart.firing.commit(stale, plans) is None
    assert heart.history.firings().total == heart.history.runs().total == 0


def test_expired_term_writes_nothing(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    batch = heart.firing.due(10)
    plans = [heart.firing.decide(job, batch.now) for job in batch.jobs]
    term = heart.leadership.term
    heart.database.execute(
        "UPDATE cronzimus.leaders SET expires_at = clock_timestamp() - interval '1 second'"
    )
    assert term is not None and heart.firing.commit(term, plans) is None
    assert heart.history.firings().total == 0


def test_term_of_nobody_writes_nothing(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    batch = heart.firing.due(10)
    plans = [heart.firing.decide(job, batch.now) for job in batch.jobs]
    assert heart.firing.commit(Term(heart.leadership.holder, 99, 0, 0), plans) is None


@pytest.mark.parametrize("change", ["pause", "replace", "remove"])
def test_job_changed_after_it_was_read_is_left_alone(heart: Heart, change: str) -> None:
    heart.add()
    heart.make_due("a")
    batch = heart.firing.due(10)
    plans = [heart.firing.decide(job, batch.now) for job in batch.jobs]
    if change == "pause":
        heart.timetable.pause("a", by="t")
    elif change == "replace":
        heart.timetable.replace(JobDefinition.model_validate(heart.timetable.get("a").definition), by="t")
    else:
        heart.timetable.remove("a", by="t")
    term = heart.leadership.term
    assert term is not None and heart.firing.commit(term, plans) == []
    assert heart.history.runs().total == 0


def test_unfinished_run_makes_the_next_instant_skip(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.make_due("a", "clock_timestamp() - interval '2 second'")
    assert len(heart.fire()) == 1
    heart.make_due("a")
    assert heart.fire() == []
    assert ledger(heart) == [("fired", None), ("skipped", "overlap")]


def test_replace_cancels_what_waits_and_asks_what_runs_to_stop(heart: Heart) -> None:
    heart.add(trigger=HOURLY, policy={"overlap": "replace"})
    heart.make_due("a", "clock_timestamp() - interval '2 second'")
    (running,) = heart.claim(heart.fire())
    waiting = heart.runs.trigger("a", by="t")
    heart.make_due("a")
    (fresh,) = heart.fire()
    assert heart.history.run(running.run_id).cancel_requested_at is not None
    assert heart.state_of(waiting.id) == "cancelled"
    assert heart.state_of(fresh.run_id) == "pending"


def test_date_job_finishes_and_keeps_its_history(heart: Heart) -> None:
    heart.add(trigger={"type": "date", "run_date": "2020-01-01T00:00:00+00:00", "misfire": "run_once"})
    heart.fire()
    job = heart.timetable.get("a")
    assert (job.status, job.next_due_at) == ("finished", None)
    assert heart.history.runs(job_id="a").total == 1


def test_paused_job_writes_rows_and_no_runs(heart: Heart) -> None:
    heart.add()
    heart.timetable.pause("a", by="t")
    heart.make_due("a")
    assert heart.fire() == []
    assert ledger(heart) == [("skipped", "paused")]


def test_definition_that_cannot_be_loaded_is_broken_and_kept(heart: Heart) -> None:
    heart.add()
    heart.database.execute('UPDATE cronzimus.job_versions SET definition = \'{"id": "a"}\'')
    heart.make_due("a")
    assert heart.fire() == []
    job = heart.timetable.get("a")
    assert job.status == "broken" and "cannot be loaded" in (job.status_reason or "")
    assert heart.timetable.list(status="broken").total == 1


def test_function_that_is_gone_breaks_the_job_until_it_is_back(database_url: str, heart: Heart) -> None:
    heart.add()
    gone = Heart(heart.database, trouble=_missing)
    gone.leadership.holder = heart.leadership.holder
    gone.lead()
    gone.make_due("a")
    assert gone.fire() == []
    assert gone.timetable.get("a").status == "broken"
    assert ledger(gone) == [("skipped", "broken")]
    assert heart.firing.mend_broken() == 1
    heart.make_due("a", "clock_timestamp()")
    assert len(heart.fire()) == 1


UNREADABLE = "UPDATE cronzimus.job_versions SET definition = definition || '{\"of_a_later_version\": 1}'"
READABLE = "UPDATE cronzimus.job_versions SET definition = definition - 'of_a_later_version'"


@pytest.mark.parametrize("status", ["active", "paused"])
def test_job_of_a_later_version_goes_on_where_an_older_leader_had_to_stop(heart: Heart, status: str) -> None:
    """A rolling update: the old leader cannot read what the new version wrote; nothing is lost for it."""
    heart.add(
        trigger={"type": "interval", "seconds": 60}, policy={"catch_up": "all", "misfire_grace": 86_400}
    )
    if status == "paused":
        heart.timetable.pause("a", by="me")
    heart.make_due("a")
    due_at = heart.timetable.get("a").next_due_at
    heart.database.execute(UNREADABLE)
    assert heart.fire() == [] and heart.timetable.get("a").next_due_at is None
    assert heart.firing.seconds_to_next() is None
    heart.database.execute(READABLE)
    later = Heart(heart.database)
    later.leadership.holder = heart.leadership.holder
    later.lead()
    assert later.firing.mend_broken() == 1
    assert (later.timetable.get("a").status, later.timetable.get("a").next_due_at) == (status, due_at)
    assert len(later.fire()) == (status == "active")
    decided = heart.database.fetch_one("SELECT due_at FROM cronzimus.firings ORDER BY due_at LIMIT 1")
    assert decided == (due_at,)


def test_unreadable_job_that_is_paused_and_resumed_is_not_silent_for_ever(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    heart.database.execute(UNREADABLE)
    heart.fire()
    heart.timetable.pause("a", by="me")
    assert heart.firing.seconds_to_next() is None
    heart.timetable.resume("a", by="me")
    assert heart.fire() == []
    assert heart.timetable.get("a").status == "broken"


def _missing(_: JobDefinition) -> None:
    raise Invalid("module gone has no function f", code="INVALID_FUNCTION")


def test_batch_is_bounded_and_earliest_first(heart: Heart) -> None:
    for number, age in (("x", 1), ("y", 3), ("z", 2)):
        heart.add(number)
        heart.make_due(number, f"clock_timestamp() - interval '{age} seconds'")
    assert [job.definition.id for job in heart.firing.due(2).jobs] == ["y", "z"]


def test_status_read_by_the_leader_is_a_status(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    (job,) = heart.firing.due(10).jobs
    assert job.status is JobStatus.ACTIVE and job.open_runs == 0


def test_fired_run_is_offered_with_its_priority(heart: Heart) -> None:
    heart.add(priority=-20)
    heart.make_due("a")
    (offer,) = heart.fire()
    assert (offer.priority, offer.gated) == (-20, False)
