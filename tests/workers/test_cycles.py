"""One pass through a workflow: what follows, what is skipped, and what a retry releases."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from cronzimus.models.run import Offer, RunState
from tests.heart import Heart, definition
from tests.workflows import BY_HAND, House

FAILED = RunState.FAILED


@pytest.fixture
def house(heart: Heart) -> House:
    return House(heart)


def diamond(house: House) -> None:
    house.add("a")
    house.add("b", "a")
    house.add("c", "a")
    house.add("d", "b", "c")


def test_a_job_starts_when_what_it_depends_on_has_ended(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    assert not house.runs("b")
    house.passes(root.id, result=1)
    run = house.run("b")
    facts = (run.cause, run.state, run.trace_id, run.parent_run_id)
    assert facts == ("dependency", "pending", root.trace_id, root.id)
    assert run.due_at == root.queued_at and run.inputs == {"a": str(root.id)}
    assert [offer.run_id for offer in house.released] == [run.id] and not house.released[0].gated


def test_one_failure_skips_what_needs_it_and_its_retry_releases_that_once(house: House) -> None:
    diamond(house)
    root = house.begin("a")
    house.passes(root.id)
    b, c = house.run("b"), house.run("c")
    house.passes(b.id, FAILED)
    house.passes(c.id)
    assert not house.runs("d") and house.skipped("d") == "b ended failed"
    again = house.heart.runs.retry(b.id, by="me")
    house.passes(again.id)
    d = house.run("d")
    assert {run.trace_id for run in (root, b, c, again, d)} == {root.trace_id}
    assert d.due_at == root.queued_at == b.due_at and d.inputs == {"b": str(again.id), "c": str(c.id)}
    house.passes(house.heart.runs.retry(b.id, by="me").id)
    assert house.run("d") == d


def test_why_tells_of_the_skip_and_of_the_release(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.passes(root.id, FAILED)
    why = house.heart.explain.why("b", root.queued_at).sentence
    assert "skipped (dependency_failed): what it depends on did not end as wanted: a ended failed" in why
    house.passes(house.heart.runs.retry(root.id, by="me").id)
    why = house.heart.explain.why("b", root.queued_at).sentence
    assert "a ended failed; released by the retry of a at 20" in why


def test_why_tells_of_a_run_that_the_schedule_did_not_ask_for(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.passes(root.id)
    why = house.heart.explain.why("b", root.queued_at).sentence
    assert (
        f"started when what it depends on had ended, run {house.run('b').id} is waiting for a worker" in why
    )


def test_a_job_waits_until_everything_is_decided(house: House) -> None:
    diamond(house)
    house.passes(house.begin("a").id)
    house.passes(house.run("b").id, FAILED)
    assert not house.runs("d") and house.skipped("d") is None
    house.passes(house.run("c").id)
    assert house.skipped("d") == "b ended failed"


def test_a_retry_that_goes_on_is_waited_for(house: House) -> None:
    diamond(house)
    house.passes(house.begin("a").id)
    house.passes(house.run("b").id, FAILED)
    again = house.heart.runs.retry(house.run("b").id, by="me")
    house.passes(house.run("c").id)
    assert not house.runs("d") and house.skipped("d") is None
    house.passes(again.id)
    assert house.run("d").state == "pending"


def test_a_skip_goes_on_to_what_follows(house: House) -> None:
    house.chain("a", "b", "c", "d")
    house.add("report", {"job": "c", "when": "always"})
    house.add("repair", {"job": "a", "when": "failure"})
    house.add("comfort", {"job": "b", "when": "failure"})
    house.passes(house.begin("a").id, FAILED)
    assert [house.skipped(name) for name in ("b", "c", "d")] == [
        "a ended failed",
        "b was skipped",
        "c was skipped",
    ]
    assert house.run("report").inputs == {"c": None} and house.run("repair").state == "pending"
    assert not house.runs("comfort") and house.skipped("comfort") == "b was skipped and should have failed"


def test_a_run_that_was_cancelled_did_not_fail(house: House) -> None:
    house.add("a")
    house.add("next", "a")
    house.add("repair", {"job": "a", "when": "failure"})
    house.add("report", {"job": "a", "when": "always"})
    house.heart.runs.cancel(house.begin("a").id, by="me")
    house.judge()
    assert house.skipped("next") == "a was cancelled" and house.run("report").state == "pending"
    assert house.skipped("repair") == "a was cancelled and should have failed"


def test_what_runs_after_a_failure_is_skipped_after_a_success(house: House) -> None:
    house.add("a")
    house.add("repair", {"job": "a", "when": "failure"})
    house.passes(house.begin("a").id)
    assert not house.runs("repair") and house.skipped("repair") == "a ended success and should have failed"


def test_every_cycle_stands_alone(house: House) -> None:
    diamond(house)
    first, second = house.begin("a"), house.begin("a")
    house.passes(first.id)
    house.passes(second.id)
    (b1, b2), (c1, c2) = house.runs("b"), house.runs("c")
    house.passes(b1.id)
    house.passes(c2.id)
    assert not house.runs("d")
    house.passes(c1.id)
    assert house.run("d").trace_id == first.trace_id and b2.trace_id == second.trace_id


def test_a_scheduled_run_begins_a_cycle_of_its_instant(house: House) -> None:
    house.heart.add("a", trigger={"type": "interval", "hours": 1})
    house.add("b", "a")
    due_at = house.heart.make_due("a")
    (offer,) = house.heart.fire()
    house.passes(offer.run_id)
    assert house.run("b").due_at == due_at and house.run("b").trace_id == offer.run_id.hex


def test_a_run_as_of_a_moment_begins_a_cycle_of_that_moment(house: House) -> None:
    house.chain("a", "b")
    moment = datetime(2026, 3, 1, 2, tzinfo=UTC)
    house.passes(house.heart.runs.trigger("a", as_of=moment, by="me").id, FAILED)
    (row,) = house.heart.history.firings(job_id="b").items
    assert (row.due_at, row.decision, row.reason, row.run_id) == (
        moment,
        "skipped",
        "dependency_failed",
        None,
    )
    assert (row.epoch, row.decided_by, row.job_version) == (1, "me", 1)


def test_two_cycles_of_one_moment_are_each_judged(house: House) -> None:
    house.chain("a", "b")
    moment = datetime(2026, 3, 1, 2, tzinfo=UTC)
    for state in (FAILED, FAILED, RunState.SUCCESS):
        house.passes(house.heart.runs.trigger("a", as_of=moment, by="me").id, state)
    assert house.heart.history.firings(job_id="b").total == 1 and house.run("b").due_at == moment


def test_a_job_that_somebody_started_in_the_cycle_is_left_alone(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    mine = house.begin("b")
    house.heart.database.execute(
        "UPDATE cronzimus.runs SET trace_id = %s WHERE id = %s", [root.trace_id, mine.id]
    )
    house.passes(root.id)
    assert house.run("b").id == mine.id


def test_a_paused_job_is_skipped_for_that_reason_and_released_by_a_retry(house: House) -> None:
    house.chain("a", "b", "c")
    house.heart.timetable.pause("b", by="me")
    root = house.begin("a")
    house.passes(root.id)
    (row,) = house.heart.history.firings(job_id="b").items
    assert row.reason == "paused" and not house.runs("b") and house.skipped("c") == "b was skipped"
    house.heart.timetable.resume("b", by="me")
    house.passes(house.heart.runs.retry(root.id, by="me").id)
    house.passes(house.run("b").id)
    assert house.run("c").trace_id == root.trace_id


def test_a_broken_job_is_skipped_for_that_reason(house: House) -> None:
    house.chain("a", "b")
    house.heart.database.execute(
        "UPDATE cronzimus.jobs SET status = 'broken', status_reason = 'gone' WHERE id = 'b'"
    )
    house.passes(house.begin("a").id)
    (row,) = house.heart.history.firings(job_id="b").items
    assert (row.reason, row.note) == ("broken", "gone")


def test_the_definition_that_counts_is_the_one_of_that_moment(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    new = definition(
        "b", trigger=BY_HAND, depends_on=["a"], priority=7, queue="slow", policy={"max_attempts": 3}
    )
    house.heart.timetable.replace(new, by="me")
    house.passes(root.id)
    run = house.run("b")
    assert (run.job_version, run.priority, run.queue, run.max_attempts) == (2, 7, "slow", 3)


def test_a_job_of_workers_is_opened_for_the_dispatcher(house: House) -> None:
    house.add("a")
    house.add("b", "a", runs_on="workers")
    house.passes(house.begin("a").id)
    assert [offer.gated for offer in house.released] == [True]
    row = house.heart.database.fetch_one(
        "SELECT gated, ranked_at IS NOT NULL, held_by FROM cronzimus.runs WHERE job_id = 'b'"
    )
    assert row == (True, True, None)


def test_parts_of_a_run_count_as_one(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    parts = [root.id, *(house.heart.runs.trigger("a", by="me").id for _ in range(2))]
    for number, run_id in enumerate(parts):
        cut = "UPDATE cronzimus.runs SET part = %s, parts = 3, trace_id = %s WHERE id = %s"
        house.heart.database.execute(cut, [number, root.trace_id, run_id])
    house.passes(parts[0])
    house.passes(parts[1], FAILED)
    assert house.skipped("b") is None
    house.passes(parts[2])
    assert house.skipped("b") == "a ended failed in part 1"
    again = house.heart.runs.retry(parts[1], by="me")
    assert (again.part, again.parts) == (1, 3)
    house.passes(again.id)
    assert house.run("b").inputs == {"a": [str(run_id) for run_id in (parts[0], again.id, parts[2])]}


def test_the_ledger_is_complete_with_skips_that_no_schedule_made(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.passes(root.id, FAILED)
    found = house.heart.verifier.verify(root.queued_at, datetime.now(UTC))
    assert found.ok and found.recorded == 0


def test_a_run_of_a_trace_that_is_no_id_is_judged_too(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.heart.database.execute("UPDATE cronzimus.runs SET trace_id = 'elsewhere' WHERE id = %s", [root.id])
    house.passes(root.id)
    assert house.run("b").trace_id == "elsewhere"


def test_a_run_that_is_gone_starts_nothing(house: House) -> None:
    house.chain("a", "b")
    note = "INSERT INTO cronzimus.runs_to_judge (run_id) VALUES (%s)"
    house.heart.database.execute(note, [UUID(int=1)])
    house.judge()
    assert not house.runs("b")


def test_the_run_of_a_retry_keeps_its_inputs(house: House) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.passes(root.id)
    house.passes(house.run("b").id, FAILED)
    again = house.heart.runs.retry(house.run("b").id, by="me")
    (claim,) = house.heart.claim([Offer(again.id, None)])
    assert again.inputs == claim.inputs == {"a": str(root.id)}
