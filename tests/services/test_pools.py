"""Pools of slots, and the jobs that need them."""

import json
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.job import Source
from cronzimus.models.run import Run
from cronzimus.services.audit import Audit
from cronzimus.services.pools import SlotPools, check_pool, sizes_of
from tests.heart import Heart, definition


@pytest.fixture
def pools(heart: Heart) -> SlotPools:
    return SlotPools(heart.database)


def run_of(heart: Heart, **columns: Any) -> Run:
    run = heart.runs.trigger("a", by="t")
    columns = {"gated": True, "ranked_at": run.queued_at, **columns}
    heart.database.execute(
        f"UPDATE cronzimus.runs SET {', '.join(f'{name} = %({name})s' for name in columns)} WHERE id = %(id)s",
        {**columns, "id": run.id},
    )
    return run


def test_pool_is_defined_resized_and_removed(heart: Heart, pools: SlotPools) -> None:
    made = pools.define("db", 5, by="ann", description="the replica")
    assert (made.slots, made.description, made.taken, made.waiting, made.changed_by) == (
        5,
        "the replica",
        0,
        0,
        "ann",
    )
    resized = pools.define("db", 0, by="bob")
    assert (resized.slots, resized.description, resized.changed_by) == (0, "the replica", "bob")
    pools.define("db", 0, by="bob")
    assert sizes_of(heart.database) == {"db": 0}
    pools.remove("db", by="ann")
    assert pools.list().items == ()
    events = Audit(heart.database).list(action="pool").items
    assert [(one.action, one.after and one.after["slots"]) for one in events] == [
        ("pool.delete", None),
        ("pool.replace", 0),
        ("pool.create", 5),
    ]


def test_pools_are_listed_by_name(pools: SlotPools) -> None:
    for name in ("web", "db", "api"):
        pools.define(name, 1, by="t")
    page = pools.list(limit=2, offset=1)
    assert ([one.name for one in page.items], page.total) == (["db", "web"], 3)


def test_pool_that_is_not_there_is_not_found(pools: SlotPools) -> None:
    pools.define("warehouse", 1, by="t")
    for ask in (pools.get, lambda name: pools.remove(name, by="t")):
        with pytest.raises(NotFound, match="did you mean 'warehouse'") as caught:
            ask("warehose")
        assert caught.value.code == "POOL_NOT_FOUND"


def test_pool_knows_what_is_taken_and_who_waits(heart: Heart, pools: SlotPools) -> None:
    pools.define("db", 5, by="t")
    pools.define("other", 5, by="t")
    heart.add(trigger={"type": "manual"})
    takes = json.dumps({"pool": "db", "slots": 2})
    moment = "2026-01-01"
    out = {"dispatched_at": moment, "worker_id": "w", "takes": takes}
    for columns in (
        out,
        out,
        {"held_by": "pool:db"},
        {"held_by": "slots:9/db"},
        {"held_by": "mutex:pool:db"},
    ):
        run_of(heart, **columns)
    run_of(heart, **out, state="success", attempt=1, started_at=moment, ended_at=moment)
    run_of(heart, dispatched_at=moment, worker_id="w", takes=json.dumps({"mutex": "m"}))
    found = {one.name: (one.taken, one.waiting) for one in pools.list().items}
    assert found == {"db": (4, 2), "other": (0, 0)}


def test_pool_that_jobs_need_stays(heart: Heart, pools: SlotPools) -> None:
    pools.define("db", 5, by="t")
    for job_id in ("b", "a"):
        heart.add(job_id, limits={"pool": "db"})
    heart.add("free", limits={"mutex": "db"})
    with pytest.raises(Conflict, match="used by job a, b") as caught:
        pools.remove("db", by="t")
    assert caught.value.code == "POOL_IN_USE"
    for job_id in ("a", "b"):
        heart.timetable.remove(job_id, by="t")
    pools.remove("db", by="t")


@pytest.mark.parametrize(
    ("limits", "code", "field"),
    [
        ({"pool": "warehose"}, "UNKNOWN_POOL", "limits.pool"),
        ({"pool": "warehouse", "slots": 4}, "POOL_TOO_SMALL", "limits.slots"),
    ],
)
def test_job_that_could_never_start_is_refused(
    heart: Heart, pools: SlotPools, limits: dict[str, Any], code: str, field: str
) -> None:
    pools.define("warehouse", 3, by="t")
    heart.add("there")
    for write in (heart.timetable.add, heart.timetable.replace):
        job_id = "fresh" if write == heart.timetable.add else "there"
        with pytest.raises(Invalid) as caught:
            write(definition(job_id, limits=limits), by="t")
        assert (caught.value.code, caught.value.faults[0].field) == (code, field)
    if code == "UNKNOWN_POOL":
        assert "did you mean 'warehouse'" in caught.value.message


def test_closed_pool_and_no_pool_are_no_reason_to_refuse(heart: Heart, pools: SlotPools) -> None:
    pools.define("db", 0, by="t")
    check_pool(heart.database, definition(limits={"pool": "db", "slots": 3}))
    check_pool(heart.database, definition())


def test_declared_job_without_its_pool_waits_for_the_next_reload(heart: Heart, pools: SlotPools) -> None:
    declared = [(definition("a", limits={"pool": "db"}), Source.FILE), (definition("b"), Source.FILE)]
    heart.timetable.synchronise(declared)
    assert [job.id for job in heart.timetable.list().items] == ["b"]
    pools.define("db", 1, by="t")
    heart.timetable.synchronise(declared)
    assert [job.id for job in heart.timetable.list().items] == ["a", "b"]


def test_dispatcher_hears_of_a_new_size(heart: Heart, pools: SlotPools) -> None:
    with heart.database.connection() as session:
        session.execute("LISTEN cronzimus_dispatch")
        pools.define("db", 3, by="t")
        assert [heard.payload for heard in session.notifies(timeout=5, stop_after=1)] == [""]
