"""Whom a run goes to: strategies, wishes, room and parts, without a database."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.errors import ConfigError
from cronzimus.models.job import JobDefinition, RunsOn
from cronzimus.models.placement import Strategy
from cronzimus.utils.ids import new_id
from cronzimus.workers.dispatch import (
    Board,
    Place,
    Wanted,
    Wishes,
    choice_of,
    load_based,
    parts_of,
    round_robin,
    task_type_affinity,
)

PLAIN = Wishes("workers", "function", "default")


def place(name: str, capacity: int = 1, **more: Any) -> Place:
    """A worker that knows functions."""
    return Place(name, "workers", capacity, **{"kinds": frozenset({"function"}), **more})


def wanted(wishes: Wishes = PLAIN, **more: Any) -> Wanted:
    """A run."""
    return Wanted(new_id(), "a", wishes, **more)


def shares(board: Board, count: int, **more: Any) -> Counter[str | None]:
    """Who gets how many of so many runs."""
    return Counter(board.give(wanted(**more)) for _ in range(count))


def definition(**more: Any) -> JobDefinition:
    """A job for workers."""
    document = {"id": "a", "params": {"func": "m:f"}, "trigger": {"type": "manual"}, "runs_on": "workers"}
    return JobDefinition.model_validate({**document, **more})


class Last:
    """A strategy of somebody's own."""

    def choose(self, run: Wanted, workers: Sequence[Place]) -> Place:
        """Whoever comes last."""
        return workers[-1]


class Silent:
    """No strategy: it chooses nothing."""


def test_round_robin_goes_round() -> None:
    board = Board([place(name, 100) for name in "abc"], round_robin)
    assert shares(board, 30) == {"a": 10, "b": 10, "c": 10}


def test_round_robin_goes_on_where_the_last_round_ended() -> None:
    board = Board([place("a", 9, last_dispatch=7), place("b", 9, last_dispatch=5)], round_robin)
    assert [board.give(wanted()) for _ in range(3)] == ["b", "a", "b"]
    assert board.turns == {"a": 9, "b": 10}


@pytest.mark.parametrize("choice", [round_robin, load_based, task_type_affinity])
def test_nobody_gets_more_than_it_has_places_for(choice: Any) -> None:
    board = Board([place("a", 1), place("b", 2), place("c", 4)], choice)
    assert shares(board, 14) == {"a": 1, "b": 2, "c": 4, None: 7}
    assert board.room(RunsOn.WORKERS) == 0


def test_load_based_fills_evenly_by_share() -> None:
    board = Board([place("a", 10), place("b", 20), place("c", 40)], load_based)
    assert shares(board, 14) == {"a": 2, "b": 4, "c": 8}


def test_affinity_stays_while_there_is_room() -> None:
    board = Board([place("a", 10), place("b", 3), place("c", 10)], task_type_affinity)
    given_to = [board.give(wanted(last_worker="b")) for _ in range(4)]
    assert given_to[:3] == ["b", "b", "b"] and given_to[3] in ("a", "c")


def test_a_jobs_own_strategy_wins() -> None:
    board = Board([place("a", 10), place("b", 10)], round_robin)
    chosen = shares(board, 4, strategy=Strategy.TASK_TYPE_AFFINITY, last_worker="b")
    assert chosen == {"b": 4}


@pytest.mark.parametrize(
    ("worker", "wishes"),
    [
        ({}, Wishes("workers", "shell", "default")),
        ({}, Wishes("scheduler", "function", "default")),
        ({"queues": frozenset({"reports"})}, PLAIN),
        ({"labels": {"disk": "slow"}}, Wishes("workers", "function", "default", (("disk", "fast"),))),
        ({}, Wishes("workers", "function", "default", (("disk", "fast"),))),
        ({}, Wishes("workers", "function", "default", worker="another")),
    ],
)
def test_worker_is_not_asked_for_what_it_may_not_take(worker: dict[str, Any], wishes: Wishes) -> None:
    board = Board([place("a", 5, **worker)], round_robin)
    assert board.give(wanted(wishes)) is None
    assert board.those_for(wishes) == [] and board.free_for(wishes) == 0
    assert board.room(RunsOn.WORKERS) == 5 and board.room(RunsOn.SCHEDULER) == 0


def test_worker_with_more_labels_than_asked_for_is_fine() -> None:
    board = Board(
        [place("a", labels={"disk": "fast", "zone": "1"}, queues=frozenset({"default"}))], round_robin
    )
    assert board.give(wanted(Wishes("workers", "function", "default", (("disk", "fast"),), "a"))) == "a"


def test_backfills_leave_places_for_others() -> None:
    behind = Wishes("workers", "function", "default", backfill=True)
    board = Board([place("a", 4)], round_robin, backfill_share=0.5)
    assert board.free_for(behind) == 2
    assert shares(board, 3, wishes=behind) == {"a": 2, None: 1}
    assert shares(board, 3) == {"a": 2, None: 1}


def test_a_single_place_is_shared_by_backfills() -> None:
    behind = Wishes("workers", "function", "default", backfill=True)
    assert Board([place("a", 1)], round_robin).give(wanted(behind)) == "a"


def test_ahead_is_room() -> None:
    assert place("a", 2, load=2).room == 0
    assert place("a", 2, load=2, ahead=3).room == 3
    assert place("a", 2, load=9).room == 0


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=6),
    st.sampled_from(list(Strategy)),
    st.integers(0, 40),
)
def test_whatever_happens_room_is_used_up_and_never_more(
    workers: list[tuple[int, int]], strategy: Strategy, runs: int
) -> None:
    places = [place(str(n), capacity, load=load) for n, (capacity, load) in enumerate(workers)]
    board = Board(places, choice_of(strategy))
    room = board.room(RunsOn.WORKERS)
    got = shares(board, runs)
    assert runs - got[None] == min(room, runs)
    for one in places:
        assert got[one.id] <= one.room


def test_wishes_are_read_from_what_holds_a_run() -> None:
    wishes = Wishes("workers", "shell", "reports", (("disk", "fast"), ("zone", "ü")), "w:1", True)
    assert Wishes.read(wishes.held_by) == wishes
    assert wishes.held_by.startswith("worker:")


def test_wishes_come_from_the_job_and_the_run() -> None:
    job = definition(placement={"labels": {"disk": "fast"}, "worker": "w1"})
    assert Wishes.of(job, "q", None, False) == Wishes("workers", "function", "q", (("disk", "fast"),), "w1")
    assert Wishes.of(job, "q", "w2", True).worker == "w2"


def test_a_broadcast_is_for_every_live_worker_that_may_take_it() -> None:
    job = definition(placement={"spread": "broadcast"})
    full = place("b", load=1)
    board = Board([place("c"), full, place("a"), place("d", kinds=frozenset({"shell"}))], round_robin)
    assert parts_of(job, Wishes.of(job, "default", None, False), board) == ["a", "b", "c"]


def test_shards_go_anywhere() -> None:
    job = definition(placement={"spread": "shard", "shards": 3})
    assert parts_of(job, PLAIN, Board([], round_robin)) == [None, None, None]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("round_robbin", "unknown strategy 'round_robbin'; did you mean 'round_robin'?"),
        ("tests.workers.test_dispatch:Silent", "has no method choose(run, workers)"),
        ("tests.workers.test_dispatch:Absent", "cannot be loaded"),
        ("tests.workers.nowhere:Last", "cannot be loaded"),
    ],
)
def test_choice_names_what_is_wrong_with_a_strategy(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        choice_of(name)
    assert said in caught.value.message and "dispatcher.strategy" in caught.value.message


def test_choice_may_be_ones_own() -> None:
    board = Board([place("a", 5), place("b", 5)], choice_of("tests.workers.test_dispatch:Last"))
    assert shares(board, 3) == {"b": 3}
