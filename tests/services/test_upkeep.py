"""The broom: nothing pending is forgotten, nobody silent is believed, nothing old is kept."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import psycopg
import pytest

from cronzimus.models.leader import Term
from cronzimus.models.run import Claim, Held
from cronzimus.services.run_logs import RunLogs
from cronzimus.services.upkeep import Upkeep, first_id_of
from cronzimus.utils.ids import new_id
from tests.heart import Heart

SILENT = (
    "UPDATE cronzimus.runs SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'"
)


def running(heart: Heart, **policy: Any) -> Claim:
    heart.add(trigger={"type": "manual"}, policy=policy)
    run = heart.runs.trigger("a", by="t")
    (claim,) = heart.claim(heart.offered[-1:])
    assert claim.run_id == run.id
    heart.offered.clear()
    return claim


def test_pending_run_that_nobody_claimed_is_offered_again(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    run = heart.runs.trigger("a", by="t")
    heart.offered.clear()
    assert heart.upkeep.resend() == 1
    assert [offer.run_id for offer in heart.offered] == [run.id]


def test_run_offered_again_keeps_the_place_it_waited_for(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"}, priority=3, policy={"overlap": "allow"})
    fresh, old = (heart.runs.trigger("a", by="t") for _ in range(2))
    assert [offer.priority for offer in heart.offered] == [3, 3]
    heart.database.execute(
        "UPDATE cronzimus.runs SET queued_at = queued_at - interval '40 minutes' WHERE id = %s", [old.id]
    )
    heart.offered.clear()
    heart.upkeep.resend()
    assert {offer.run_id: offer.priority for offer in heart.offered} == {fresh.id: 3, old.id: 43}


@pytest.mark.parametrize(("status", "offered"), [("paused", 0), ("draining", 1), ("active", 2)])
def test_what_a_halted_queue_keeps_is_not_offered(heart: Heart, status: str, offered: int) -> None:
    heart.add(trigger={"type": "manual"}, queue="etl", policy={"overlap": "allow"})
    heart.runs.trigger("a", by="t")
    heart.database.execute(
        "INSERT INTO cronzimus.queues (name, status, changed_by) VALUES ('etl', %s, 't')", [status]
    )
    heart.runs.trigger("a", by="t")
    assert heart.upkeep.resend() == offered


def test_run_that_must_wait_long_is_not_offered_yet(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"})
    heart.runs.trigger("a", by="t")
    heart.database.execute("UPDATE cronzimus.runs SET not_before = clock_timestamp() + interval '1 hour'")
    assert heart.upkeep.resend() == 0


def test_silent_worker_loses_its_run(heart: Heart) -> None:
    claim = running(heart)
    heart.database.execute(SILENT)
    assert heart.upkeep.reap() == 1
    run = heart.history.run(claim.run_id)
    assert run.state == "lost" and run.ended_at is not None
    assert run.error is not None and "worker w" in run.error["message"]
    assert [a.state for a in heart.history.attempts(claim.run_id)] == ["lost"]
    (said,) = RunLogs(heart.database).page(run).items
    assert (said.job_id, said.attempt, said.stream) == ("a", 1, "system")
    assert said.line == "WorkerLost: worker w stopped renewing its lease; its last words may be missing"
    assert heart.offered == []


def test_silent_worker_with_tries_left_gives_the_run_back(heart: Heart) -> None:
    claim = running(heart, max_attempts=3, backoff=7.0)
    heart.database.execute(SILENT)
    heart.upkeep.reap()
    run = heart.history.run(claim.run_id)
    assert (run.state, run.attempt) == ("pending", 1)
    assert run.not_before is not None and run.not_before > datetime.now(UTC) + timedelta(seconds=4)
    assert [offer.run_id for offer in heart.offered] == [claim.run_id]


def test_silent_worker_whose_run_was_cancelled_leaves_it_cancelled(heart: Heart) -> None:
    claim = running(heart, max_attempts=3)
    heart.runs.cancel(claim.run_id, by="t")
    heart.database.execute(SILENT)
    heart.upkeep.reap()
    assert heart.state_of(claim.run_id) == "cancelled"


def test_worker_that_renews_keeps_its_run(heart: Heart) -> None:
    claim = running(heart)
    heart.claims.renew([Held(claim.run_id, 1)], worker_id="w", lease_seconds=60)
    assert heart.upkeep.reap() == 0
    assert heart.state_of(claim.run_id) == "running"


@pytest.mark.parametrize(("led_for", "state"), [(1.0, "running"), (60.0, "lost")])
def test_new_leader_gives_the_living_time_to_renew(heart: Heart, led_for: float, state: str) -> None:
    claim = running(heart)
    heart.database.execute(SILENT)
    started = monotonic() - led_for
    term = Term("me", 1, started, monotonic() + 60)
    upkeep = Upkeep(heart.database, heart.offered.extend, lambda: term, lease_seconds=15, retention_days=90)
    upkeep.step()
    assert heart.state_of(claim.run_id) == state


def test_replica_that_stands_by_sweeps_nothing(heart: Heart) -> None:
    claim = running(heart)
    heart.database.execute(SILENT)
    upkeep = Upkeep(heart.database, heart.offered.extend, lambda: None, lease_seconds=0, retention_days=90)
    upkeep.step()
    assert heart.state_of(claim.run_id) == "running" and heart.offered == []


def test_prune_drops_what_is_older_than_the_retention(heart: Heart) -> None:
    old, young = datetime.now(UTC) - timedelta(days=200), datetime.now(UTC) - timedelta(days=10)
    for at in (old, young):
        heart.database.execute("SELECT cronzimus.ensure_week('firings', %s)", [at.date()])
        _record(heart, at)
    _record(heart, old - timedelta(days=400))
    assert heart.upkeep.prune() == 2
    assert [row.due_at for row in heart.history.firings().items] == [young]
    assert heart.history.runs().total == 1


def _record(heart: Heart, at: datetime) -> None:
    heart.database.execute(
        "INSERT INTO cronzimus.firings (job_id, due_at, first_due_at, decision, reason, epoch, decided_by, job_version)"
        " VALUES ('a', %s, %s, 'missed', 'misfire', 1, 'me', 1)",
        [at, at],
    )
    heart.database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, state, ended_at, trace_id)"
        " VALUES (%s, 'a', 1, 'schedule', 'success', %s, 'x')",
        [first_id_of(at), at],
    )


def test_open_run_is_never_pruned(heart: Heart) -> None:
    heart.database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, cause, trace_id) VALUES (%s, 'a', 1, 'manual', 'x')",
        [first_id_of(datetime.now(UTC) - timedelta(days=900))],
    )
    heart.upkeep.prune()
    assert heart.history.runs().total == 1


def test_partitions_lie_ahead_and_are_made_once(heart: Heart) -> None:
    ahead = datetime.now(UTC) + timedelta(weeks=4)
    heart.upkeep.prune()
    row = heart.database.fetch_one(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'cronzimus.firings'::regclass"
    )
    assert row is not None and row[0] >= 6
    assert heart.database.fetch_one("SELECT cronzimus.ensure_week('firings', %s)", [ahead.date()]) == (False,)


def test_rows_that_came_before_their_partition_move_into_it(heart: Heart) -> None:
    far = datetime.now(UTC) + timedelta(weeks=30)
    _record(heart, far)
    assert heart.database.fetch_one("SELECT count(*) FROM cronzimus.firings_default") == (1,)
    heart.database.execute("SELECT cronzimus.ensure_week('firings', %s)", [far.date()])
    assert heart.database.fetch_one("SELECT count(*) FROM cronzimus.firings_default") == (0,)
    assert heart.history.firings().total == 1


def test_logs_are_dropped_by_the_week(heart: Heart) -> None:
    now = datetime.now(UTC)
    for days in (1, 60, 120, 900):
        at = now - timedelta(days=days)
        if days < 500:
            heart.database.execute("SELECT cronzimus.ensure_week('run_logs', %s)", [at.date()])
        heart.database.execute(
            "INSERT INTO cronzimus.run_logs (run_id, job_id, attempt, at, stream, line)"
            " VALUES (%s, 'a', 1, %s, 'stdout', %s)",
            [new_id(), at, str(days)],
        )
    heart.upkeep.prune()
    assert heart.database.fetch_all("SELECT line FROM cronzimus.run_logs ORDER BY at") == [("60",), ("1",)]
    assert heart.database.fetch_one("SELECT count(*) FROM cronzimus.run_logs_default") == (0,)


@pytest.mark.parametrize(
    ("table", "name"), [("firings", "jobs"), ("jobs", "jobs_20260101"), ("run_logs", "run_logs_seq")]
)
def test_only_a_week_is_dropped(heart: Heart, table: str, name: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="is no week of"):
        heart.database.execute("SELECT cronzimus.drop_week(%s, %s)", [table, name])


def test_ids_are_ordered_by_time() -> None:
    now = datetime.now(UTC)
    assert first_id_of(now - timedelta(seconds=5)) < new_id() < first_id_of(now + timedelta(days=1))
