"""Counts agree with the ledger, because they are written with it."""

import json
import threading
from datetime import timedelta

import pytest

from cronzimus.common.db import Database
from cronzimus.common.migrate import Migrations
from cronzimus.models.run import Held, RunState
from cronzimus.models.totals import Totals
from cronzimus.services.pools import SlotPools
from cronzimus.services.totals import LedgerTotals
from tests.heart import Heart

LEDGER = "SELECT decision, coalesce(reason, ''), count(*), sum(instants) FROM cronzimus.firings GROUP BY 1, 2"
ENDED = """
    SELECT j.kind, r.state, count(*) FROM cronzimus.runs r JOIN cronzimus.jobs j ON j.id = r.job_id
    WHERE r.ended_at IS NOT NULL GROUP BY 1, 2
"""
OPENED = "SELECT kind, cause, count(*) FROM cronzimus.runs GROUP BY 1, 2"


def read(heart: Heart) -> Totals:
    return LedgerTotals(heart.database).read()


def test_fresh_house_has_counted_nothing(heart: Heart) -> None:
    totals = read(heart)
    assert not totals.runs and not totals.firings and not totals.jobs
    assert totals.has_leader and totals.epoch == 1 and totals.ledger_gaps is None


def test_life_of_a_run_is_counted_once(heart: Heart) -> None:
    heart.add()
    heart.make_due("a", "clock_timestamp() - interval '3 seconds'")
    (offer,) = heart.fire()
    assert read(heart).queue_depth == {("default",): 1} and read(heart).open_runs == {("pending",): 1}
    assert read(heart).queue_oldest[("default",)] >= 0
    (claim,) = heart.claim([offer])
    assert read(heart).open_runs == {("running",): 1} and not read(heart).queue_depth and not read(heart).runs
    heart.end(claim)
    heart.end(claim, RunState.FAILED)
    totals = read(heart)
    assert totals.runs == {("function", "success"): 1}
    assert totals.opened == {("function", "schedule"): 1}
    assert totals.firings[("fired", "")] == 1
    assert totals.jobs == {("active",): 1} and not totals.open_runs
    assert totals.spreads["queue_wait"][("default",)].counts[-1] == 1
    lateness = totals.spreads["start_lateness"][()]
    assert lateness.counts[-1] == 1 and lateness.counts[0] == 0


def test_retry_is_no_end(heart: Heart) -> None:
    heart.add(policy={"max_attempts": 2})
    run = heart.runs.trigger("a", by="me")
    (claim,) = heart.claim(heart.offered)
    offers = heart.end(claim, RunState.FAILED, retry_in=0.0)
    totals = read(heart)
    assert totals.retried == {("function",): 1} and not totals.runs
    assert totals.spreads["queue_wait"][("default",)].counts[-1] == 1
    (claim,) = heart.claim(offers)
    heart.end(claim, RunState.FAILED)
    totals = read(heart)
    assert totals.retried == {("function",): 1} and totals.runs == {("function", "failed"): 1}
    assert totals.spreads["queue_wait"][("default",)].counts[-1] == 1
    assert heart.state_of(run.id) == "failed" and not totals.spreads["start_lateness"]


def test_claim_that_is_given_back_is_no_retry(heart: Heart) -> None:
    heart.add()
    heart.runs.trigger("a", by="me")
    (claim,) = heart.claim(heart.offered)
    heart.claims.release([Held(claim.run_id, claim.attempt)], worker_id="w")
    assert not read(heart).retried and not read(heart).spreads["queue_wait"]


def test_run_cancelled_before_its_start_took_no_time(heart: Heart) -> None:
    heart.add()
    run = heart.runs.trigger("a", by="me")
    heart.runs.cancel(run.id, by="me")
    totals = read(heart)
    assert totals.runs == {("function", "cancelled"): 1} and not totals.spreads["run_duration"]


def test_row_for_many_instants_counts_them_all(heart: Heart) -> None:
    heart.add(policy={"catch_up": "none", "misfire_grace": 1})
    heart.make_due("a", "date_trunc('second', clock_timestamp()) - interval '1 hour'")
    heart.fire()
    totals = read(heart)
    assert totals.firings == {(d, r): n for d, r, n, _ in heart.database.fetch_all(LEDGER)}
    assert totals.instants == {(d, r): n for d, r, _, n in heart.database.fetch_all(LEDGER)}
    assert sum(totals.instants.values()) > 3600 > sum(totals.firings.values())


def test_counts_survive_the_jobs_end_and_the_pruning(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    (claim,) = heart.claim(heart.fire())
    heart.end(claim)
    heart.timetable.remove("a", by="me")
    heart.database.execute("DELETE FROM cronzimus.runs")
    heart.upkeep.prune()
    assert read(heart).runs == {("function", "success"): 1}


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.005, 0), (0.0051, 1), (1, 5), (21_600, 14), (1e6, 15)]
)
def test_bucket_holds_what_is_at_most_its_bound(heart: Heart, seconds: float, bucket: int) -> None:
    heart.add()
    run = heart.runs.trigger("a", by="me")
    (claim,) = heart.claim(heart.offered)
    heart.database.execute(
        "UPDATE cronzimus.runs SET state = 'success', started_at = queued_at, ended_at = queued_at + %s"
        " WHERE id = %s",
        [timedelta(seconds=seconds), run.id],
    )
    spread = read(heart).spreads["run_duration"][("function", "success")]
    assert claim.run_id == run.id
    assert spread.counts == (0,) * bucket + (1,) * (16 - bucket) and spread.sum == pytest.approx(seconds)
    assert len(spread.bounds) == 15


def test_change_of_a_run_that_has_ended_is_not_counted(heart: Heart) -> None:
    heart.add()
    heart.runs.trigger("a", by="me")
    (claim,) = heart.claim(heart.offered)
    heart.end(claim)
    heart.database.execute("UPDATE cronzimus.runs SET code_revision = 'x'")
    assert read(heart).runs == {("function", "success"): 1}


def test_what_is_rolled_back_is_not_counted(heart: Heart) -> None:
    heart.add()
    with pytest.raises(RuntimeError), heart.database.transaction():
        heart.runs.trigger("a", by="me")
        raise RuntimeError
    assert not read(heart).opened


def test_writers_that_count_at_once_neither_wait_nor_lose(heart: Heart, database_url: str) -> None:
    """Twenty transactions count the same thing while none of them has committed: more than there are shards."""
    heart.add(policy={"overlap": "allow"})
    writers = 20
    everybody = threading.Barrier(writers, timeout=20)

    def write() -> None:
        database = Database(database_url, 1)
        own = Heart(database, name="writer")
        with database.transaction():
            run = own.runs.trigger("a", by="me")
            everybody.wait()
            own.runs.cancel(run.id, by="me")
            everybody.wait()
        database.close()

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    totals = read(heart)
    assert totals.opened == {("function", "manual"): writers}
    assert totals.runs == {("function", "cancelled"): writers}


def test_upgrade_begins_with_what_the_ledger_remembers(heart: Heart) -> None:
    heart.add(policy={"max_attempts": 2})
    heart.make_due("a", "date_trunc('second', clock_timestamp()) - interval '3 seconds'")
    (claim,) = heart.claim(heart.fire())
    heart.end(claim)
    heart.runs.trigger("a", by="me")
    before = read(heart)
    heart.database.close()
    migrations = Migrations(heart.database.url)
    migrations.downgrade("0003")
    migrations.upgrade()
    after = LedgerTotals(Database(heart.database.url, 1)).read()
    assert after.runs == before.runs and after.firings == before.firings and after.opened == before.opened
    assert after.spreads == before.spreads and after.instants == before.instants


def test_held_runs_and_slots_are_counted(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"}, queue="etl")
    pools = SlotPools(heart.database)
    for name in ("db", "idle"):
        pools.define(name, 5, by="t")
    changes = {
        "held_by = 'mutex:m'": None,
        "dispatched_at = queued_at, worker_id = 'w'": {"pool": "db", "slots": 2},
        "dispatched_at = queued_at, worker_id = 'x'": {"pool": "db", "slots": 1},
    }
    for change, takes in changes.items():
        run = heart.runs.trigger("a", by="t")
        heart.database.execute(
            f"UPDATE cronzimus.runs SET gated = true, ranked_at = queued_at, takes = %s, {change} WHERE id = %s",
            [json.dumps(takes), run.id],
        )
    found = read(heart)
    assert found.queue_held == {("etl",): 1}
    assert found.pool_slots == {("db",): 5, ("idle",): 5}
    assert found.pool_taken == {("db",): 3, ("idle",): 0}
