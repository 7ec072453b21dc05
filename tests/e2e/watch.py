"""Looking at a service all the time: what it answers while something is broken, and how long that takes."""

import threading
from collections.abc import Callable
from types import TracebackType

from tests.e2e.service import Answer, Service

LIVENESS, READINESS, LIST = "/api/health", "/readyz", "/api/v1/jobs"
_EVERY_SECONDS = 0.3


class Watch:
    """Asks each path every 0.3 s, each from a thread of its own, for as long as the block lasts."""

    def __init__(self, service: Service, *paths: str) -> None:
        self._service = service
        self.answers: dict[str, list[Answer]] = {path: [] for path in paths or (LIVENESS, READINESS, LIST)}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(path,)) for path in self.answers]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def between(self, path: str, start: float, end: float) -> list[Answer]:
        """The answers to questions asked in a stretch of time."""
        return [answer for answer in self.answers[path] if start <= answer.began <= end]

    def slowest(self, path: str) -> float:
        """Seconds that the slowest answer took."""
        return max(answer.seconds for answer in self.answers[path])

    def last(self, path: str, is_so: Callable[[Answer], bool]) -> float:
        """When the last answer of a kind was asked for; 0 when there was none."""
        return max((answer.began for answer in self.answers[path] if is_so(answer)), default=0.0)

    def first(self, path: str, is_so: Callable[[Answer], bool]) -> float:
        """When the first answer of a kind was asked for; infinity when there was none."""
        return min((answer.began for answer in self.answers[path] if is_so(answer)), default=float("inf"))

    def _look(self, path: str) -> None:
        while not self._over.is_set():
            self.answers[path].append(self._service.get(path))
            self._over.wait(_EVERY_SECONDS)
