"""Jobs with due instants of their own: their runs wait for those of the stretch that ends at their instant."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cronzimus.models.run import Run, RunState
from tests.heart import Heart, definition
from tests.workflows import House

FAILED = RunState.FAILED
HOURLY = {"type": "cron", "expression": "0 * * * *"}
LAST_HOUR = "date_trunc('hour', clock_timestamp())"
PATIENT = {"misfire_grace": 86_400}


@pytest.fixture
def house(heart: Heart) -> House:
    """`a` and `b` are due every hour, `b` after `a`."""
    house = House(heart)
    house.add("a", trigger=HOURLY, policy=PATIENT)
    house.add("b", "a", trigger=HOURLY, policy=PATIENT)
    return house


def fire(house: House, *job_ids: str) -> datetime:
    """The last full hour of some jobs; what is opened waits to be judged."""
    due_at = [house.heart.make_due(job_id, LAST_HOUR) for job_id in job_ids][0]
    house.heart.fire()
    return due_at


def row(house: House, run: Run) -> tuple[Any, ...]:
    found = house.heart.database.fetch_one(
        "SELECT state, held_by, gated, error ->> 'type' FROM cronzimus.runs WHERE id = %s", [run.id]
    )
    assert found is not None
    return tuple(found)


def as_of(house: House, moment: datetime, state: RunState = RunState.SUCCESS) -> UUID:
    """A run of `a` for a moment of the past, ended."""
    run = house.heart.runs.trigger("a", as_of=moment, by="me")
    house.passes(run.id, state)
    return run.id


def test_a_run_is_born_waiting_and_let_go_by_the_end_of_what_goes_before(house: House) -> None:
    fire(house, "a", "b")
    a, b = house.run("a"), house.run("b")
    assert row(house, b) == ("pending", "job:a", True, None) and a.held_by is None
    house.judge()
    assert row(house, b)[1] == "job:a" and not house.released
    house.passes(a.id)
    assert row(house, b) == ("pending", None, True, None) and house.run("b").inputs == {"a": str(a.id)}
    assert [(offer.run_id, offer.gated) for offer in house.released] == [(b.id, True)]
    assert b.trace_id != a.trace_id


def test_why_names_what_a_run_waits_for(house: House) -> None:
    due_at = fire(house, "a", "b")
    assert "is waiting for the end of a" in house.heart.explain.why("b", due_at).sentence


def test_a_run_that_waited_for_a_failure_is_cancelled_and_says_so(house: House) -> None:
    due_at = fire(house, "a", "b")
    house.passes(house.run("a").id, FAILED)
    assert row(house, house.run("b")) == ("cancelled", None, True, "DependencyFailed")
    assert house.heart.explain.why("b", due_at).sentence.count("a ended failed") == 1


def test_a_retry_gives_the_instant_that_was_given_up_one_more_run(house: House) -> None:
    due_at = fire(house, "a", "b")
    house.passes(house.run("a").id, FAILED)
    first = house.run("b")
    for _ in range(2):
        house.passes(house.heart.runs.retry(house.runs("a")[0].id, by="me").id)
    given_up, again = house.runs("b")
    assert given_up == first and (again.cause, again.due_at, again.state) == ("dependency", due_at, "pending")
    assert again.trace_id == first.trace_id and again.inputs == {"a": str(house.runs("a")[1].id)}


def test_a_retry_that_fails_again_changes_nothing(house: House) -> None:
    fire(house, "a", "b")
    house.passes(house.run("a").id, FAILED)
    house.passes(house.heart.runs.retry(house.run("a").id, by="me").id, FAILED)
    assert house.run("b").state == "cancelled"


def test_what_ended_within_the_stretch_counts(house: House) -> None:
    due_at = fire(house, "b")
    house.heart.database.execute(
        "UPDATE cronzimus.jobs SET next_due_at = next_due_at + interval '1 day' WHERE id = 'a'"
    )
    as_of(house, due_at - timedelta(minutes=59))
    assert row(house, house.run("b"))[:2] == ("pending", None)


@pytest.mark.parametrize("minutes", [-60, -61, 0])
def test_what_lies_outside_of_the_stretch_does_not(house: House, minutes: int) -> None:
    due_at = fire(house, "b")
    house.heart.database.execute(
        "UPDATE cronzimus.jobs SET next_due_at = next_due_at + interval '1 day' WHERE id = 'a'"
    )
    as_of(house, due_at + timedelta(minutes=minutes))
    held = minutes != 0
    assert (row(house, house.run("b"))[1] == "job:a") is held


def test_the_last_run_of_the_stretch_counts(house: House) -> None:
    due_at = fire(house, "b")
    house.heart.database.execute(
        "UPDATE cronzimus.jobs SET next_due_at = next_due_at + interval '1 day' WHERE id = 'a'"
    )
    last = house.heart.runs.trigger("a", as_of=due_at - timedelta(minutes=5), by="me")
    house.heart.database.execute("UPDATE cronzimus.runs SET held_by = 'job:a' WHERE job_id = 'b'")
    as_of(house, due_at - timedelta(minutes=30), FAILED)
    assert house.runs("a")[-1].id != last.id and house.run("b").state == "cancelled"


def test_an_instant_that_nobody_has_decided_yet_is_waited_for(house: House) -> None:
    due_at = house.heart.make_due("a", LAST_HOUR)
    house.heart.make_due("b", LAST_HOUR)
    as_of(house, due_at - timedelta(minutes=10))
    term = house.heart.leadership.term
    assert term is not None
    batch = house.heart.firing.due(10)
    plans = [house.heart.firing.decide(job, batch.now) for job in batch.jobs if job.definition.id == "b"]
    house.heart.firing.commit(term, plans)
    house.judge()
    assert row(house, house.run("b"))[1] == "job:a"
    house.heart.fire()
    house.passes(house.runs("a")[-1].id)
    assert house.run("b").inputs == {"a": str(house.runs("a")[-1].id)}


def test_a_run_waits_for_the_first_that_has_not_ended(house: House) -> None:
    house.add("c", "a", "b", trigger=HOURLY, policy=PATIENT)
    fire(house, "a", "b", "c")
    c = house.run("c")
    assert row(house, c)[1] == "job:a"
    house.passes(house.run("a").id)
    assert row(house, c)[1] == "job:b"


def test_a_job_that_depends_on_nothing_any_more_lets_its_run_go(house: House) -> None:
    fire(house, "a", "b")
    house.judge()
    house.heart.timetable.replace(definition("b", trigger=HOURLY), by="me")
    house.judge()
    assert row(house, house.run("b"))[:2] == ("pending", None)


def test_a_run_by_hand_waits_for_nobody(house: House) -> None:
    assert house.heart.runs.trigger("b", by="me").held_by is None


def test_a_run_that_was_cancelled_while_it_waited_stays_so(house: House) -> None:
    fire(house, "a", "b")
    house.heart.runs.cancel(house.run("b").id, by="me")
    house.passes(house.run("a").id)
    assert row(house, house.run("b")) == ("cancelled", None, True, "Cancelled")


def test_what_follows_a_run_that_was_given_up_is_skipped(house: House) -> None:
    house.add("mail", "b")
    due_at = fire(house, "a", "b")
    house.passes(house.run("a").id, FAILED)
    (skipped,) = house.heart.history.firings(job_id="mail").items
    assert (skipped.due_at, skipped.note) == (due_at, "b was cancelled")
