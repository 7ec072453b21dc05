"""Many who ask for the same at the same moment are answered together."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Made = TypeVar("Made")
_LOCKS = 64


class Turns(Generic[Made]):
    """Shares the making of answers; an answer is never older than the question.

    1. Who asks joins the next turn of its key, or opens it when there is none.
    2. Who opened it waits until the turn before has ended, closes the door and makes the answer.
    3. Whoever joined before the door closed takes that answer: it was begun after each of them asked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Hashable, Future[Made]] = {}
        self._making = tuple(threading.Lock() for _ in range(_LOCKS))

    def take(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The answer of the next turn; raises what making it raised."""
        with self._lock:
            turn = self._open.get(key)
            if mine := turn is None:
                turn = self._open[key] = Future()
        if mine:
            with self._making[hash(key) % _LOCKS]:
                self._make(key, turn, make)
        return turn.result()

    def _make(self, key: Hashable, turn: "Future[Made]", make: Callable[[], Made]) -> None:
        with self._lock:
            del self._open[key]
        try:
            turn.set_result(make())
        except BaseException as error:
            turn.set_exception(error)
