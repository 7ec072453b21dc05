"""Everything that can break in a house of workers, one thing beside the other, at random moments."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from tests.e2e.fleet import Crew
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import let_pass

Step = Callable[[], object]


class Mischief:
    """Breaks one thing after the other, at random moments, and mends it again."""

    def __init__(self, crew: Crew, seed: int, broker: tuple[Step, Step], proxy: Proxy) -> None:
        self._crew, self._random, self._proxy = crew, random.Random(seed), proxy
        self._away, self._back = broker
        self.done: dict[str, int] = dict.fromkeys(("kill", "freeze", "broker", "cut", "leader"), 0)
        self._pending: list[tuple[float, Step]] = []
        self._next = dict.fromkeys(self.done, time.monotonic())

    def go_on(self, seconds: float) -> None:
        """For so long."""
        ending = time.monotonic() + seconds
        while time.monotonic() < ending:
            for name in self.done:
                if time.monotonic() >= self._next[name]:
                    self._next[name] = time.monotonic() + self._random.uniform(20, 40)
                    self.done[name] += bool(getattr(self, f"_{name}")())
            self._mend(time.monotonic())
            let_pass(0.5)
        self._mend(float("inf"))

    def _later(self, seconds: float, mend: Step) -> None:
        self._pending.append((time.monotonic() + seconds, mend))

    def _mend(self, now: float) -> None:
        for due in [one for one in self._pending if one[0] <= now]:
            self._pending.remove(due)
            due[1]()

    def _kill(self) -> bool:
        name = self._random.choice(["ada", "ben"])
        if self._crew.workers[name].process.poll() is not None:
            return False
        self._crew.dismiss(name)
        self._later(self._random.uniform(1, 8), lambda: self._crew.worker(name, 6))
        return True

    def _freeze(self) -> bool:
        frozen = self._crew.workers["cleo"]
        frozen.send(signal.SIGSTOP)
        self._later(self._random.uniform(2, 12), lambda: frozen.send(signal.SIGCONT))
        return True

    def _broker(self) -> bool:
        self._away()
        self._later(self._random.uniform(1, 8), self._back)
        return True

    def _cut(self) -> bool:
        self._random.choice([self._proxy.cut, self._proxy.blackhole])()
        self._later(self._random.uniform(3, 15), self._proxy.heal)
        return True

    def _leader(self) -> bool:
        with suppress(psycopg.OperationalError):
            pid, _ = self._crew.trial.leader()
            leading = [one for one in self._crew.trial.fleet.services if one.pid == pid]
            if leading and leading[0].process.poll() is None:
                leading[0].kill()
                self._later(self._random.uniform(1, 4), lambda: self._crew.trial.fleet.start())
                return True
        return False
