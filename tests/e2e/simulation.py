"""Histories that are right by construction: what a sound service would have left behind, faults included."""

import random
from collections.abc import Iterator

from tests.e2e.history import Asked, Attempt, Firing, History, Instant, Line, Run, Span

_DAY = 86_400.0
_START = 1_800_000_000.0
_LENGTH = 600.0


class Simulation:
    """A service that never errs. `seed` decides the jobs, the outages, and how long every run takes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        launched = _START + self.random.randrange(int(_DAY))
        window = Span(launched + 10, launched + _LENGTH)
        self.history = History([], launched, window, window.end + 60)
        self.epoch = 1
        for _ in range(self.random.randint(1, 2)):
            self._outage()
        self._job("dense", self.random.choice([1, 2, 5]))
        for number in range(self.random.randint(1, 3)):
            self._job(f"job-{number}", self.random.choice([1, 5, 30, "* * * * *", "*/2 * * * *"]))
        self.history.runs.sort(key=lambda run: run.due_at or 0)

    def _outage(self) -> None:
        begin = self.random.uniform(self.history.window.start + 60, self.history.window.end - 120)
        self.history.faults.append(Span(begin, begin + self.random.uniform(15, 60)))

    def _job(self, job_id: str, every: float | str) -> None:
        all_fire = self.random.random() < 0.5
        asked = Asked(job_id, every, self.random.randint(1, 3), not all_fire, all_fire)
        self.history.asked.append(asked)
        busy_until = 0.0
        for due_at, decided_at, is_last_of_outage in self._decided(asked):
            if not all_fire and not is_last_of_outage:
                self._refuse(job_id, due_at, decided_at, "coalesced", "catch_up")
            elif asked.exclusive and busy_until > decided_at:
                self._refuse(job_id, due_at, decided_at, "skipped", "overlap")
            else:
                busy_until = self._fire(asked, due_at, decided_at)

    def _decided(self, asked: Asked) -> Iterator[tuple[Instant, Instant, bool]]:
        """Each due instant, when it was decided, and whether it is the newest of those decided together."""
        targets = asked.targets(self.history.launched, self.history.window.end)
        decided = [self._decided_at(at) for at in targets]
        for number, (due_at, at) in enumerate(zip(targets, decided, strict=True)):
            yield due_at, at, number + 1 == len(targets) or decided[number + 1] != at

    def _decided_at(self, due_at: Instant) -> Instant:
        ends = [fault.end - 5 for fault in self.history.faults if fault.touches(due_at, due_at)]
        return max([due_at + 0.005, *ends])

    def _epoch_at(self, at: Instant) -> int:
        return 1 + sum(fault.end - 5 <= at for fault in self.history.faults)

    def _refuse(self, job_id: str, due_at: Instant, decided_at: Instant, decision: str, reason: str) -> None:
        row = Firing(
            job_id, due_at, due_at, 1, decision, reason, None, self._epoch_at(decided_at), decided_at
        )
        self.history.firings.append(row)

    def _fire(self, asked: Asked, due_at: Instant, decided_at: Instant) -> Instant:
        """One firing, its run and its attempts; when the last of them ended."""
        run_id = f"{asked.job_id}@{due_at}"
        epoch = self._epoch_at(decided_at)
        self.history.firings.append(
            Firing(asked.job_id, due_at, due_at, 1, "fired", None, run_id, epoch, decided_at)
        )
        needed = 1 if self.random.random() < 0.8 else self.random.randint(1, asked.max_attempts + 1)
        tried, at = min(needed, asked.max_attempts), decided_at
        for attempt in range(1, tried + 1):
            at = self._execute(asked.job_id, run_id, due_at, attempt, at, good=attempt == needed)
        state = "success" if needed <= asked.max_attempts else "failed"
        self.history.runs.append(Run(run_id, asked.job_id, due_at, "schedule", state, tried, at, None))
        return at

    def _execute(
        self, job_id: str, run_id: str, due_at: Instant, attempt: int, not_before: Instant, *, good: bool
    ) -> Instant:
        begin = not_before + self.random.uniform(0.001, 0.05)
        end = begin + self.random.uniform(0.001, 0.4 if attempt == 1 else 0.1)
        self.history.lines.append(Line("start", job_id, due_at, run_id, attempt, begin))
        self.history.lines.append(Line("end" if good else "failed", job_id, due_at, run_id, attempt, end))
        self.history.attempts.append(Attempt(run_id, attempt, "success" if good else "failed"))
        return end


def clean(seed: int) -> History:
    """A history with nothing wrong in it."""
    return Simulation(seed).history
