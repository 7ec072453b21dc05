"""One round: limits hold what they must, spreads become parts."""

import pytest

from cronzimus.workers import dispatch_round
from tests.heart import FUNC, Heart
from tests.workers.dispatching import Office

_LATE = "UPDATE cronzimus.runs SET dispatched_at = clock_timestamp() - interval '6 seconds' WHERE state = 'pending'"


@pytest.fixture
def office(heart: Heart) -> Office:
    """A dispatcher and nobody else yet."""
    return Office(heart)


def test_a_run_of_the_scheduler_with_limits_stays_in_this_process(heart: Heart) -> None:
    office = Office(heart, own_places=1)
    office.join("w1")
    office.add(runs_on="scheduler", limits={"mutex": "m"})
    (run_id,) = office.open()
    assert office.whom([run_id]) == ["me"] and office.here == [run_id] and office.engine.sent == []


def test_a_mutex_lets_one_go_at_a_time(office: Office) -> None:
    office.join("w1")
    office.add("a", limits={"mutex": "m"})
    office.add("b", limits={"mutex": "m"})
    (first,), (second,) = office.open(job_id="a"), office.open(job_id="b")
    assert office.whom([first, second]) == ["w1", None]
    assert office.run(second).held_by == "mutex:m"
    office.finish([first])
    office.step()
    assert office.whom([second]) == ["w1"] and office.run(second).held_by is None


def test_a_pool_has_so_many_slots(office: Office) -> None:
    office.join("w1")
    office.heart.database.execute(
        "INSERT INTO cronzimus.pools (name, slots, changed_by) VALUES ('db', 3, 't')"
    )
    office.add(limits={"pool": "db", "slots": 2})
    runs = office.open(3)
    assert office.whom(runs) == ["w1", None, None]
    office.finish(runs[:1])
    office.step()
    assert office.whom(runs[1:]) == ["w1", None]


def test_a_rate_spaces_starts(office: Office) -> None:
    office.join("w1")
    office.add(limits={"rate": {"limit": 2, "seconds": 60.0}})
    runs = office.open(4)
    assert office.whom(runs) == ["w1", "w1", None, None]
    office.step()
    assert office.whom(runs) == ["w1", "w1", None, None]
    office.heart.database.execute(
        "UPDATE cronzimus.rate_starts SET at = at - interval '1 minute', forget_at = forget_at - interval '1 minute'"
    )
    office.step()
    assert office.whom(runs) == ["w1", "w1", "w1", "w1"]


@pytest.mark.parametrize("where", ["workers", "scheduler"])
def test_a_paused_queue_holds_what_waits(heart: Heart, where: str) -> None:
    office = Office(heart, own_places=5)
    office.join("w1")
    pause = "INSERT INTO cronzimus.queues (name, status, changed_by) VALUES ('slow', 'paused', 't')"
    office.heart.database.execute(pause)
    office.add(runs_on=where, queue="slow")
    (run_id,) = office.open()
    assert office.claim([run_id], "w1") == () and office.whom([run_id]) == [None]
    office.heart.database.execute("UPDATE cronzimus.queues SET status = 'active'")
    office.step()
    assert len(office.claim([run_id], "w1")) == 1


def test_a_broadcast_is_a_run_for_each_worker(office: Office) -> None:
    for name in ("w1", "w2", "w3"):
        office.join(name, 1)
    office.add(placement={"spread": "broadcast"})
    (run_id,) = office.open()
    runs = [run for run in office.heart.history.runs().items]
    assert sorted(run.worker_id or "" for run in runs) == ["w1", "w2", "w3"]
    assert {(run.parts, run.trace_id) for run in runs} == {(3, office.run(run_id).trace_id)}
    assert sorted(run.part or 0 for run in runs) == [0, 1, 2]
    assert {run.parent_run_id for run in runs if run.id != run_id} == {run_id}


def test_the_part_of_a_worker_that_left_ends(office: Office) -> None:
    office.join("w1", 1)
    office.join("w2", 1)
    office.add(placement={"spread": "broadcast"})
    office.open()
    office.heart.database.execute("UPDATE cronzimus.workers SET status = 'down' WHERE id = 'w2'")
    office.heart.database.execute(_LATE)
    for _ in range(2):
        office.dispatcher._swept_at = 0.0
        office.step()
    states = {run.part: run.state for run in office.heart.history.runs().items}
    (gone,) = [run for run in office.heart.history.runs().items if run.state == "cancelled"]
    assert sorted(states.values()) == ["cancelled", "pending"]
    assert gone.error is not None and gone.error["type"] == "WorkerGone" and "w2" in gone.error["message"]


def test_shards_know_their_number(office: Office) -> None:
    office.join("w1", 10)
    office.add(placement={"spread": "shard", "shards": 4}, policy={"overlap": "skip"})
    (run_id,) = office.open()
    office.step()
    runs = office.heart.history.runs().items
    claims = office.claim([run.id for run in runs], "w1")
    assert sorted((claim.part, claim.parts) for claim in claims) == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert run_id in {claim.run_id for claim in claims}


def test_what_waits_for_busy_workers_is_left_in_its_line(heart: Heart) -> None:
    """The pool beside the scheduler has room, but not for runs of workers: they are not even looked at."""
    office = Office(heart, own_places=5)
    office.join("w1", 1)
    office.add()
    office.add("here", runs_on="scheduler", limits={"mutex": "m"})
    runs = office.open(3)
    (here,) = office.open(job_id="here")
    assert office.whom([*runs, here]) == ["w1", None, None, "me"]
    assert [office.run(run_id).held_by for run_id in runs] == [None, None, None]


def test_of_very_many_keys_none_is_left_out_for_ever(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch_round, "_MOST_KEYS", 2)
    office.add(limits={"mutex": "m-{which}"}, params={"func": FUNC, "kwargs": {"which": 0}})
    runs = office.open(1)
    for which in range(1, 6):
        (run_id,) = office.open(params={"which": which})
        runs.append(run_id)
    office.heart.database.execute(
        "UPDATE cronzimus.runs SET held_by = 'mutex:m-' || coalesce(params ->> 'which', '0')"
    )
    office.join("w1")
    for _ in range(3):
        office.step()
    assert office.whom(runs) == ["w1"] * 6
