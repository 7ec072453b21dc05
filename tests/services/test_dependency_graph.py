"""The graph of the jobs never holds a cycle, nor an edge to nobody."""

import threading
from typing import Any

import pytest

from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.job import JobDefinition, Source
from cronzimus.services.dependency_graph import DependencyGraph, refuse_cycle
from tests.heart import Heart, definition

BY_HAND = {"type": "manual"}


def job(job_id: str, *depends_on: Any, **more: Any) -> JobDefinition:
    return definition(job_id, depends_on=depends_on, **{"trigger": BY_HAND, **more})


def add(heart: Heart, job_id: str, *depends_on: Any) -> None:
    heart.timetable.add(job(job_id, *depends_on), by="test")


def edges(heart: Heart) -> list[Any]:
    columns = "job_id, depends_on, condition, timed"
    return heart.database.fetch_all(f"SELECT {columns} FROM cronzimus.job_dependencies ORDER BY 1, 2")


def test_edges_keep_step_with_the_definition(heart: Heart) -> None:
    add(heart, "a")
    add(heart, "b")
    add(heart, "c", "a", {"job": "b", "when": "always"})
    assert edges(heart) == [("c", "a", "success", False), ("c", "b", "always", False)]
    heart.timetable.replace(job("c", "b", trigger={"type": "interval", "hours": 1}), by="t")
    assert edges(heart) == [("c", "b", "success", True)]
    heart.timetable.remove("c", by="t")
    assert edges(heart) == []


@pytest.mark.parametrize(
    ("depends_on", "path"), [(("a",), "a → a"), (("b",), "a → b → a"), (("c",), "a → c → b → a")]
)
def test_a_cycle_is_refused_with_its_path(heart: Heart, depends_on: tuple[str, ...], path: str) -> None:
    add(heart, "a")
    add(heart, "b", "a")
    add(heart, "c", "b")
    with pytest.raises(Conflict) as caught:
        heart.timetable.replace(job("a", *depends_on), by="t")
    assert caught.value.code == "DEPENDENCY_CYCLE" and path in caught.value.message
    assert heart.timetable.get("a").version == 1 and len(edges(heart)) == 2


def test_a_new_job_may_not_follow_itself(heart: Heart) -> None:
    with pytest.raises(Conflict, match="a → a"):
        add(heart, "a", "a")


def test_an_unknown_job_is_refused_with_the_one_that_was_meant(heart: Heart) -> None:
    add(heart, "load_orders")
    with pytest.raises(Invalid, match="load_orders") as caught:
        add(heart, "mail", "load_orders", "load_order")
    assert caught.value.code == "UNKNOWN_JOB"
    assert [fault.field for fault in caught.value.faults] == ["depends_on.1.job"] or [
        fault.field for fault in caught.value.faults
    ] == ["depends_on.0.job"]


def test_a_job_that_others_need_stays(heart: Heart) -> None:
    add(heart, "a")
    add(heart, "b", "a")
    with pytest.raises(Conflict, match="b depends on it") as caught:
        heart.timetable.remove("a", by="t")
    assert caught.value.code == "JOB_IS_NEEDED" and heart.timetable.get("a").version == 1
    heart.timetable.remove("b", by="t")
    heart.timetable.remove("a", by="t")


def test_of_two_changes_that_make_a_cycle_together_one_is_refused(heart: Heart, other: Heart) -> None:
    for _ in range(5):
        for job_id in ("a", "b"):
            heart.timetable.add(job(job_id), by="t")
        refusals: list[CronzimusError] = []
        gate = threading.Barrier(2)

        def change(one: Heart, wanted: JobDefinition) -> None:
            gate.wait()
            try:
                one.timetable.replace(wanted, by="t")
            except CronzimusError as error:
                refusals.append(error)

        threads = [
            threading.Thread(target=change, args=given)
            for given in ((heart, job("a", "b")), (other, job("b", "a")))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [refusal.code for refusal in refusals] == ["DEPENDENCY_CYCLE"] and len(edges(heart)) == 1
        follower, before, *_ = edges(heart)[0]
        heart.timetable.remove(follower, by="t")
        heart.timetable.remove(before, by="t")


def test_declared_jobs_may_stand_in_any_order_and_go_in_any(heart: Heart) -> None:
    declared = [(job("a", "b"), Source.FILE), (job("b", "c"), Source.FILE), (job("c"), Source.CODE)]
    heart.timetable.synchronise(declared)
    assert len(edges(heart)) == 2
    turned = [(job("c", "b"), Source.CODE), (job("b", "a"), Source.FILE), (job("a"), Source.FILE)]
    heart.timetable.synchronise(turned)
    assert [(follower, before) for follower, before, *_ in edges(heart)] == [("b", "a"), ("c", "b")]
    heart.timetable.synchronise([])
    assert heart.timetable.list().total == 0


def test_a_declared_job_that_names_nobody_does_not_keep_the_others_from_coming(heart: Heart) -> None:
    heart.timetable.synchronise([(job("a", "nobody"), Source.FILE), (job("b"), Source.FILE)])
    assert [one.id for one in heart.timetable.list().items] == ["b"]


def test_a_job_that_is_declared_no_more_and_still_needed_stays(heart: Heart) -> None:
    heart.timetable.synchronise([(job("a"), Source.FILE)])
    add(heart, "b", "a")
    heart.timetable.synchronise([])
    assert [one.id for one in heart.timetable.list().items] == ["a", "b"]


def test_what_is_wanted_together_is_judged_together(heart: Heart) -> None:
    graph = DependencyGraph(heart.database)
    add(heart, "a")
    add(heart, "b", "a")
    graph.check_together([job("d", "c"), job("c", "b")])
    with pytest.raises(Conflict, match="a → b → a") as caught:
        graph.check_together([job("x"), job("a", "b")])
    assert [fault.field for fault in caught.value.faults] == ["documents.1.depends_on"]
    with pytest.raises(Invalid) as unknown:
        graph.check_together([job("c", "nobody")])
    assert [fault.field for fault in unknown.value.faults] == ["documents.0.depends_on.0.job"]
    with pytest.raises(Conflict, match="b depends on it") as needed:
        graph.check_together([], gone=["a"])
    assert needed.value.code == "JOB_IS_NEEDED"
    graph.check_together([], gone=["a", "b"])


def test_an_order_puts_first_what_others_need_also_over_jobs_that_stay(heart: Heart) -> None:
    add(heart, "m")
    add(heart, "x", "m")
    order = DependencyGraph(heart.database).order([job("a", "x"), job("m")])
    assert order.index("m") < order.index("x") < order.index("a")


def test_a_cycle_in_a_file_is_refused_without_a_database() -> None:
    with pytest.raises(Conflict, match="a → b → a"):
        refuse_cycle([job("a", "b"), job("b", "a")])
    refuse_cycle([job("a", "b"), job("b")])
