"""What starts when something else has ended, on PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import Offer, RunState
from cronzimus.workers.cycles import Judge
from cronzimus.workers.releasing import DEPENDENCIES_CHANNEL, Releasing
from tests.heart import Heart
from tests.workflows import House

FAILED = RunState.FAILED
NOTES = "SELECT count(*) FROM cronzimus.runs_to_judge"


@pytest.fixture
def house(heart: Heart) -> House:
    return House(heart)


def notes(house: House) -> int:
    """How many runs wait to be judged."""
    row = house.heart.database.fetch_one(NOTES)
    assert row is not None
    return int(row[0])


def at_once(*acts: Callable[[], object]) -> None:
    """Do several things at one time, each in a thread of its own."""
    gate = threading.Barrier(len(acts))
    failures: list[BaseException] = []

    def _act(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=_act, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_end_that_nobody_waits_for_is_not_noted(house: House) -> None:
    house.add("a")
    house.end(house.begin("a").id)
    assert notes(house) == 0
    house.add("b", "a")
    house.end(house.begin("a").id)
    assert notes(house) == 1


def test_only_ends_are_noted(house: House) -> None:
    house.chain("a", "b")
    run = house.begin("a")
    house.heart.claim([Offer(run.id, None)])
    assert notes(house) == 0


def test_who_judges_is_woken_in_the_transaction_that_ends_the_run(house: House) -> None:
    house.chain("a", "b")
    run = house.begin("a")
    with house.heart.database.connection() as session:
        session.execute("LISTEN cronzimus_dependencies")
        house.end(run.id)
        (heard,) = session.notifies(timeout=5, stop_after=1)
    assert heard.channel == DEPENDENCIES_CHANNEL


def test_a_round_that_fails_leaves_everything_to_be_judged_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.chain("a", "b")
    house.end(house.begin("a").id)
    real = Database.execute

    def cut_off(self: Database, query: Any, params: Any = None) -> int:
        """The connection breaks just before the notes are struck out."""
        if "DELETE FROM cronzimus.runs_to_judge" in query:
            raise DatabaseUnavailable("gone")
        return real(self, query, params)

    with monkeypatch.context() as broken:
        broken.setattr(Database, "execute", cut_off)
        with pytest.raises(DatabaseUnavailable):
            house.releasing.step()
    assert notes(house) == 1 and not house.runs("b") and not house.released
    house.judge()
    assert notes(house) == 0 and house.run("b").state == "pending"


def test_one_run_that_cannot_be_judged_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.chain("a", "b")
    house.chain("c", "d")
    house.end(house.begin("a").id)
    house.end(house.begin("c").id)
    cycles = house.releasing._cycles
    real = cycles.follow

    def stumble(ended: Any, judge: Judge) -> Any:
        if any(row.job_id == "a" for row in ended):
            raise RuntimeError("a fault of ours")
        return real(ended, judge)

    monkeypatch.setattr(cycles, "follow", stumble)
    house.judge()
    assert house.run("d").state == "pending" and not house.runs("b") and notes(house) == 1
    monkeypatch.undo()
    house.heart.database.execute("UPDATE cronzimus.runs_to_judge SET judge_at = clock_timestamp()")
    house.judge()
    assert house.run("b").state == "pending"


def test_two_judges_of_one_cycle_release_once(house: House, other: Heart) -> None:
    house.add("a")
    house.add("b")
    house.add("d", "a")
    house.add("c", "a", "b", {"job": "d", "when": "always"})
    second = House(other)
    for _ in range(5):
        with house.heart.database.transaction():
            root = house.begin("a")
            other_root = house.begin("b")
        house.heart.database.execute(
            "UPDATE cronzimus.runs SET trace_id = %s WHERE id = %s", [root.trace_id, other_root.id]
        )
        house.end(root.id, FAILED)
        house.end(other_root.id)
        at_once(house.judge, second.judge)
        house.judge()
    assert not house.runs("c") and len(house.heart.history.firings(job_id="c", limit=50).items) == 5
    assert len(house.heart.history.firings(job_id="d", limit=50).items) == 5


def test_ends_at_one_time_release_what_follows_both_once(house: House, other: Heart) -> None:
    house.add("a")
    house.add("b", "a")
    house.add("c", "a")
    house.add("d", "b", "c")
    second = House(other)
    for number in range(1, 6):
        house.passes(house.begin("a").id)
        b, c = house.runs("b")[-1], house.runs("c")[-1]

        def end_and_judge(one: House, run_id: Any) -> None:
            one.end(run_id)
            one.judge()

        at_once(lambda run=b: end_and_judge(house, run.id), lambda run=c: end_and_judge(second, run.id))
        house.judge()
        assert len(house.runs("d")) == number


def test_two_retries_that_succeed_at_one_time_release_once(house: House, other: Heart) -> None:
    house.chain("a", "b")
    root = house.begin("a")
    house.passes(root.id, FAILED)
    again = [house.heart.runs.retry(root.id, by="me") for _ in range(2)]
    second = House(other)
    for run in again:
        house.end(run.id)
    at_once(house.judge, second.judge)
    assert house.run("b").trace_id == root.trace_id


def test_a_chain_of_a_thousand_is_skipped_in_one_round(house: House) -> None:
    with house.heart.database.transaction():
        house.chain(*(f"j{number}" for number in range(1000)))
    root = house.begin("j0")
    house.end(root.id, FAILED)
    assert house.releasing.step() == 0.0
    assert house.skipped("j1") == "j0 ended failed" and house.skipped("j999") == "j998 was skipped"
    assert house.heart.history.firings(reason="dependency_failed", limit=1).total == 999
    house.passes(house.heart.runs.retry(root.id, by="me").id)
    assert house.run("j1").trace_id == root.trace_id and not house.runs("j2")


def test_a_long_chain_passes(house: House) -> None:
    ids = [f"j{number}" for number in range(200)]
    with house.heart.database.transaction():
        house.chain(*ids)
    run = root = house.begin("j0")
    for number in range(200):
        house.end(run.id)
        house.releasing.step()
        if number < 199:
            run = house.run(ids[number + 1])
    assert run.trace_id == root.trace_id and run.due_at == root.queued_at


def test_a_hundred_ends_start_one_job(house: House) -> None:
    house.add("a")
    ids = [f"b{number}" for number in range(100)]
    for job_id in ids:
        house.add(job_id, "a")
    house.add("z", *ids)
    house.passes(house.begin("a").id)
    assert len(house.released) == 100
    for number, offer in enumerate(list(house.released)):
        assert not house.runs("z")
        house.passes(offer.run_id, result=number)
    assert len(house.run("z").inputs or {}) == 100


def test_the_leader_is_not_needed(heart: Heart) -> None:
    house = House(heart)
    heart.leadership.resign()
    house.chain("a", "b")
    house.passes(house.begin("a").id)
    assert house.run("b").cause == "dependency"


def test_with_nothing_to_do_it_asks_again_in_a_second(heart: Heart) -> None:
    offered: list[Any] = []
    idle = Releasing(heart.database, heart.definitions, offered.extend, lambda: Judge("me", 0))
    assert idle.step() == 1.0 and offered == []
