"""Many who ask at once share an answer that is never older than their question."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from cronzimus.web.turns import Turns
from tests.heart import until


def test_who_asks_alone_is_answered_alone() -> None:
    turns = Turns[int]()
    answers = iter(range(10))
    assert [turns.take("a", lambda: next(answers)) for _ in range(3)] == [0, 1, 2]


def test_those_who_ask_while_one_is_made_share_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()
    made: list[int] = []
    joined: list[Future[int]] = []

    class Watched(Future[int]):
        """Tells who waits for it."""

        def result(self, timeout: float | None = None) -> int:
            joined.append(self)
            return super().result(timeout)

    def make() -> int:
        made.append(len(made))
        begun.set()
        assert gate.wait(20)
        return made[-1]

    monkeypatch.setattr("cronzimus.web.turns.Future", Watched)
    take = Turns[int]().take
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(take, "a", make)
        assert begun.wait(20)
        others = [pool.submit(take, "a", make) for _ in range(8)]
        until(lambda: len(joined) == 7)  # the eighth waits to make it
        gate.set()
        assert {one.result(20) for one in others} == {1}
    assert first.result() == 0 and made == [0, 1]


def test_different_questions_do_not_share() -> None:
    turns = Turns[str]()
    assert (turns.take("a", lambda: "a"), turns.take("b", lambda: "b")) == ("a", "b")


def test_a_failure_reaches_everybody_and_is_forgotten() -> None:
    turns = Turns[int]()
    with pytest.raises(ZeroDivisionError):
        turns.take("a", lambda: 1 // 0)
    assert turns.take("a", lambda: 1) == 1
    assert turns._open == {}
