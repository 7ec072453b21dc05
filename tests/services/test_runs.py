"""What people do to runs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from cronzimus.errors import Conflict, Invalid, NotFound
from tests.heart import Heart, definition

MANUAL = {"type": "manual"}


def test_manual_run_waits_for_a_worker_and_is_offered_at_once(heart: Heart) -> None:
    heart.add(trigger=MANUAL, policy={"max_attempts": 4}, priority=3, queue="slow")
    run = heart.runs.trigger("a", params={"x": 1}, by="ann")
    assert (run.state, run.cause, run.due_at, run.max_attempts, run.priority, run.queue, run.params) == (
        "pending",
        "manual",
        None,
        4,
        3,
        "slow",
        {"x": 1},
    )
    assert [offer.run_id for offer in heart.offered] == [run.id]


def test_offer_says_whose_it_is_and_how_urgent(heart: Heart) -> None:
    heart.add("plain", trigger=MANUAL, priority=-7)
    heart.add("gated", trigger=MANUAL, priority=9, limits={"mutex": "m"})
    for job_id in ("plain", "gated"):
        heart.runs.trigger(job_id, by="t")
    assert [(offer.gated, offer.priority) for offer in heart.offered] == [(False, -7), (True, 9)]


def test_paused_job_runs_by_hand_only_when_forced(heart: Heart) -> None:
    heart.add()
    heart.timetable.pause("a", by="t")
    with pytest.raises(Conflict) as caught:
        heart.runs.trigger("a", by="t")
    assert caught.value.code == "JOB_PAUSED"
    assert heart.runs.trigger("a", force=True, by="t").state == "pending"


def test_broken_job_does_not_run_by_hand(heart: Heart) -> None:
    heart.add()
    heart.firing.mark_broken("a", 1, "gone")
    with pytest.raises(Conflict, match="gone") as caught:
        heart.runs.trigger("a", force=True, by="t")
    assert caught.value.code == "JOB_BROKEN"


def test_unknown_job_and_unknown_run_are_not_found(heart: Heart) -> None:
    with pytest.raises(NotFound):
        heart.runs.trigger("nope", by="t")
    for verb in (heart.runs.cancel, heart.runs.retry):
        with pytest.raises(NotFound) as caught:
            verb(uuid4(), by="t")
        assert caught.value.code == "RUN_NOT_FOUND"


def test_parameters_that_do_not_suit_the_kind_are_refused(heart: Heart) -> None:
    heart.add(trigger=MANUAL, kind="sql", params={"statement": "SELECT 1"})
    with pytest.raises(Invalid) as caught:
        heart.runs.trigger("a", params={"statement": ""}, by="t")
    assert caught.value.code == "INVALID_PARAMS"
    assert caught.value.faults[0].field == "params.statement"


def test_waiting_run_is_cancelled_at_once(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    run = heart.runs.trigger("a", by="t")
    cancelled = heart.runs.cancel(run.id, by="ann")
    assert cancelled.state == "cancelled" and cancelled.error is not None
    assert "ann" in cancelled.error["message"]
    assert heart.claim(heart.offered) == ()


def test_running_run_is_asked_to_stop_and_its_worker_is_told(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    run = heart.runs.trigger("a", by="t")
    heart.claim(heart.offered)
    with heart.database.connection() as session:
        session.execute("LISTEN cronzimus_cancel")
        asked = heart.runs.cancel(run.id, by="ann")
        (heard,) = session.notifies(timeout=5, stop_after=1)
    assert asked.state == "running" and asked.cancel_requested_at is not None
    assert UUID(heard.payload) == run.id
    assert heart.runs.cancel(run.id, by="bob").cancel_requested_at == asked.cancel_requested_at


def test_ended_run_cannot_be_cancelled(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    run = heart.runs.trigger("a", by="t")
    heart.end(heart.claim(heart.offered)[0])
    with pytest.raises(Conflict, match="success") as caught:
        heart.runs.cancel(run.id, by="t")
    assert caught.value.code == "RUN_FINISHED"


def test_retry_is_a_new_run_with_the_same_parameters(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    run = heart.runs.trigger("a", params={"x": 1}, by="t")
    with pytest.raises(Conflict) as caught:
        heart.runs.retry(run.id, by="t")
    assert caught.value.code == "RUN_NOT_FINISHED"
    heart.end(heart.claim(heart.offered)[0])
    again = heart.runs.retry(run.id, by="t")
    assert (again.cause, again.parent_run_id, again.params, again.state) == (
        "retry",
        run.id,
        {"x": 1},
        "pending",
    )
    assert again.id != run.id


def test_a_run_as_of_a_moment_is_due_then_and_so_is_its_retry(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    moment = datetime(2026, 3, 1, 2, tzinfo=UTC)
    run = heart.runs.trigger("a", as_of=moment, by="t")
    assert run.due_at == moment
    heart.end(heart.claim(heart.offered)[0])
    assert heart.runs.retry(run.id, by="t").due_at == moment


def test_a_moment_to_come_is_refused(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    with pytest.raises(Invalid) as caught:
        heart.runs.trigger("a", as_of=datetime.now(UTC) + timedelta(minutes=1), by="t")
    assert caught.value.faults[0].field == "as_of"


def test_values_of_a_run_are_those_of_its_version(heart: Heart) -> None:
    schema = {"properties": {"region": {"type": "string", "default": "eu"}, "size": {"type": "integer"}}}
    heart.add(trigger=MANUAL, parameters=schema)
    run = heart.runs.trigger("a", params={"size": 3}, by="t")
    heart.timetable.replace(definition("a", trigger=MANUAL), by="t")
    assert run.params == {"size": 3}
    assert heart.runs.values_of(run) == {"region": "eu", "size": 3}
    assert heart.runs.values_of(heart.runs.trigger("a", by="t")) is None


def test_a_value_that_breaks_the_schema_is_refused_by_its_field(heart: Heart) -> None:
    heart.add(trigger=MANUAL, parameters={"properties": {"size": {"type": "integer", "maximum": 5}}})
    with pytest.raises(Invalid) as caught:
        heart.runs.trigger("a", params={"size": 6}, by="t")
    assert caught.value.code == "INVALID_PARAMS"
    assert [fault.field for fault in caught.value.faults] == ["params.size"]


def test_an_open_secret_is_taken_only_where_the_house_says_so(heart: Heart) -> None:
    heart.add(trigger=MANUAL)
    with pytest.raises(Invalid, match="params.db_password"):
        heart.runs.trigger("a", params={"db_password": "hunter22"}, by="t")
    heart.runs.allow_plain_secrets = True
    assert heart.runs.trigger("a", params={"db_password": "hunter22"}, by="t").state == "pending"
