"""What people do to backfills: foresee, start, pause, resume, cancel."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.backfill import BackfillRequest
from cronzimus.models.event import Event
from cronzimus.services.audit import Audit
from cronzimus.services.backfills import Backfills
from cronzimus.utils.ids import new_id
from tests.heart import Heart

HOURLY = {"type": "interval", "hours": 1}
START = datetime(2026, 3, 2, tzinfo=UTC)


class Ours(Backfills):
    """Backfills that keep what they announce."""

    def __init__(self, heart: Heart) -> None:
        self.announced: list[Event] = []
        super().__init__(heart.database, heart.timetable, heart.definitions, self.announced.append)


@pytest.fixture
def backfills(heart: Heart) -> Ours:
    """The backfills of a house with one job of every hour."""
    heart.add(trigger=HOURLY)
    return Ours(heart)


def request(hours: int = 4, **fields: Any) -> BackfillRequest:
    ends = START + timedelta(hours=hours - 1)
    return BackfillRequest.model_validate({"job_id": "a", "from": START, "to": ends, **fields})


def test_foreseeing_changes_nothing(heart: Heart, backfills: Ours) -> None:
    estimate = backfills.foresee(request())
    assert [item.due_at.hour for item in estimate.items] == [0, 1, 2, 3] and estimate.seconds is None
    assert backfills.list().total == 0 and heart.history.runs().total == 0 and backfills.announced == []


def test_estimate_follows_the_usual_length_of_a_run(heart: Heart, backfills: Ours) -> None:
    heart.database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, state, started_at, ended_at, trace_id)"
        " VALUES (%s, 'a', 1, 'manual', 'success', now() - interval '10 seconds', now(), 't')",
        [new_id()],
    )
    estimate = backfills.foresee(request(max_running=2))
    assert estimate.seconds == pytest.approx(20)


def test_start_keeps_the_instants_and_leaves_the_ledger_alone(heart: Heart, backfills: Ours) -> None:
    backfill = backfills.start(request(reverse=True, params={"day": 1}), by="ann")
    assert (backfill.state, backfill.total, backfill.left, backfill.created_by) == ("running", 4, 4, "ann")
    items = backfills.items(backfill.id)
    assert [item.due_at.hour for item in items.items] == [3, 2, 1, 0] and items.total == 4
    assert {(item.was, item.run_id, item.state) for item in items.items} == {("missing", None, None)}
    assert heart.history.firings().total == 0
    assert [(event.topic, event.state) for event in backfills.announced] == [("backfill", "running")]
    (event,) = Audit(heart.database).list(action="backfill.start").items
    assert event.after is not None and event.after["total"] == 4 and event.after["params"] == {"day": 1}


def test_time_that_has_not_come_is_left_alone(backfills: Ours) -> None:
    now = datetime.now(UTC)
    fields = {"from": now - timedelta(hours=3), "to": now + timedelta(hours=3)}
    ahead = BackfillRequest.model_validate({"job_id": "a", **fields})
    assert len(backfills.foresee(ahead).items) in (2, 3)


def test_a_moment_before_the_first_year_is_the_first_there_is(backfills: Ours) -> None:
    asked = request().model_dump() | {"begins": "0001-01-01T00:00+05:00", "ends": "0001-01-03T00:00+05:00"}
    assert len(backfills.foresee(BackfillRequest.model_validate(asked)).items) == 43


def test_what_cannot_be_filled_is_refused(heart: Heart, backfills: Ours) -> None:
    for wrong, code in (
        (request(outcomes=["failed"]), "BACKFILL_EMPTY"),
        (request(params={"nope": [1]}), None),
    ):
        if code:
            with pytest.raises(Invalid) as caught:
                backfills.start(wrong, by="ann")
            assert caught.value.code == code
    with pytest.raises(NotFound):
        backfills.start(BackfillRequest.model_validate({**request().model_dump(), "job_id": "b"}), by="ann")
    heart.database.execute("UPDATE cronzimus.jobs SET status = 'broken', status_reason = 'gone'")
    with pytest.raises(Conflict) as refused:
        backfills.start(request(), by="ann")
    assert refused.value.code == "JOB_BROKEN"


def test_pause_and_resume_and_cancel(heart: Heart, backfills: Ours) -> None:
    backfill = backfills.start(request(), by="ann")
    assert backfills.pause(backfill.id, by="ann").state == "paused"
    assert backfills.resume(backfill.id, by="ann").state == "running"
    cancelled = backfills.cancel(backfill.id, by="ann")
    assert cancelled.state == "cancelled" and cancelled.ended_at is not None
    for verb in (backfills.pause, backfills.resume, backfills.cancel):
        with pytest.raises(Conflict) as caught:
            verb(backfill.id, by="ann")
        assert caught.value.code == "BACKFILL_ENDED"
    actions = [event.action for event in Audit(heart.database).list(target=f"backfill/{backfill.id}").items]
    assert actions == ["backfill.cancel", "backfill.resume", "backfill.pause", "backfill.start"]
    states = [event.state for event in backfills.announced]
    assert states == ["running", "paused", "running", "cancelled"]


def test_lists_are_filtered_and_paged(heart: Heart, backfills: Ours) -> None:
    heart.add("b", trigger=HOURLY)
    first = backfills.start(request(), by="ann")
    second = backfills.start(
        BackfillRequest.model_validate({**request().model_dump(), "job_id": "b"}), by="ann"
    )
    backfills.pause(first.id, by="ann")
    assert [one.id for one in backfills.list().items] == [second.id, first.id]
    assert [one.id for one in backfills.list(job_id="b").items] == [second.id]
    assert [one.id for one in backfills.list(state="paused").items] == [first.id]
    page = backfills.list(limit=1, offset=1)
    assert [one.id for one in page.items] == [first.id] and page.total == 2
    with pytest.raises(NotFound):
        backfills.get(new_id())
