"""A ledger in memory, a board on which jobs and tests signal each other, and facts about processes."""

import os
import select
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psutil

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable, NotFound
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Cause, Claim, Ended, Exchange, Held, Offer, Renewal, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.context import RunContext
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.worker import Worker

JOBS = "tests.workers.jobs"
PATIENCE = 20.0
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


class Board:
    """Named events: a job raises one and waits for another, so that no test has to sleep."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = defaultdict(threading.Event)

    def raise_flag(self, name: str) -> None:
        self._events[name].set()

    def wait(self, name: str, timeout: float = PATIENCE) -> bool:
        return self._events[name].wait(timeout)

    def is_up(self, name: str) -> bool:
        return self._events[name].is_set()


BOARD = Board()


def settings(**worker: Any) -> SimpleNamespace:
    """As much of the settings tree as the room reads."""
    own = {
        "max_concurrent_tasks": 2,
        "lease_seconds": 15.0,
        "allowed_commands": ("*",),
        "backfill_share": 0.5,
        **worker,
    }
    return SimpleNamespace(
        worker=SimpleNamespace(**own),
        scheduler=SimpleNamespace(allowed_functions=(JOBS, "cronzimus.controller")),
    )


def definition(function: str = "noop", kind: str = "function", **document: Any) -> JobDefinition:
    """A manual job whose function is one of tests/workers/jobs.py."""
    params = document.pop("params", None)
    if params is None:
        path = function if ":" in function else f"{JOBS}:{function}"
        params = {"func": path, "args": document.pop("args", []), "kwargs": document.pop("kwargs", {})}
    policy = document.pop("policy", {})
    return JobDefinition.model_validate(
        {
            "id": document.pop("id", "job"),
            "kind": kind,
            "params": params,
            "trigger": {"type": "manual"},
            "policy": policy,
            **document,
        }
    )


def claim(**facts: Any) -> Claim:
    """One claimed attempt."""
    return Claim(
        **{
            "run_id": new_id(),
            "job_id": "job",
            "job_version": 1,
            "attempt": 1,
            "max_attempts": 1,
            "cause": Cause.MANUAL,
            "due_at": None,
            "params": None,
            "trace_id": TRACE_ID,
            **facts,
        }
    )


def context(database: Database | None = None, **facts: Any) -> RunContext:
    """A context as a task function gets it."""
    extra = {name: facts.pop(name) for name in ("deadline", "on_commit", "inputs") if name in facts}
    tree = facts.pop("settings", None) or settings()
    worker_id = facts.pop("worker_id", "w1")
    return RunContext(claim(**facts), database or Database(NOWHERE), tree, worker_id=worker_id, **extra)


class Ledger:
    """Claims and definitions in memory, with the states, the fencing and the outages of the real ones."""

    def __init__(self, *definitions: JobDefinition) -> None:
        self.definitions = {item.id: item for item in definitions}
        self.changed = threading.Condition()
        self.states: dict[UUID, RunState] = {}
        self.attempts: dict[UUID, int] = defaultdict(int)
        self.jobs: dict[UUID, str] = {}
        self.causes: dict[UUID, Cause] = {}
        self.params: dict[UUID, dict[str, Any] | None] = {}
        self.reports: list[Ended] = []
        self.released: list[Held] = []
        self.dispatched: list[UUID] = []
        self.renewed: list[tuple[Held, ...]] = []
        self.rounds: list[tuple[int, int]] = []
        self.lost: set[UUID] = set()
        self.cancel_wanted: set[UUID] = set()
        self.down = False
        self.refuses: Callable[[Ended], bool] = lambda ended: False
        self.failures = 0

    def get(self, job_id: str, version: int) -> JobDefinition:
        """The definition, as `services.definitions` answers."""
        if job_id not in self.definitions:
            raise NotFound(f"job {job_id!r} has no version {version}", code="JOB_NOT_FOUND")
        return self.definitions[job_id]

    def create(
        self, job_id: str = "job", params: dict[str, Any] | None = None, cause: Cause = Cause.MANUAL
    ) -> UUID:
        """A pending run."""
        run_id = new_id()
        self.causes[run_id] = cause
        with self.changed:
            self.states[run_id], self.jobs[run_id], self.params[run_id] = RunState.PENDING, job_id, params
        return run_id

    def exchange(
        self, ended: Sequence[Ended], wanted: Sequence[UUID], *, worker_id: str, lease_seconds: float
    ) -> Exchange:
        """Report and claim by compare-and-set."""
        with self._answering():
            if any(self.refuses(one) for one in ended):
                raise ValueError("the ledger cannot store this")
            retries = [offer for one in ended if (offer := self._finish(one)) is not None]
            claimed = tuple(c for run_id in wanted if (c := self._claim(run_id)) is not None)
            self.rounds.append((len(ended), len(claimed)))
            return Exchange(claimed, tuple(retries))

    def renew(self, held: Sequence[Held], *, worker_id: str, lease_seconds: float) -> Renewal:
        """What became of what is held."""
        with self._answering():
            self.renewed.append(tuple(held))
            gone = frozenset(h.run_id for h in held if h.run_id in self.lost)
            return Renewal(gone, frozenset(self.cancel_wanted & {h.run_id for h in held} - gone))

    def release(self, held: Sequence[Held], *, worker_id: str) -> None:
        """Back to pending, unspent."""
        with self._answering():
            for one in held:
                self.states[one.run_id] = RunState.PENDING
                self.attempts[one.run_id] -= 1
            self.released.extend(held)

    def hand_back(self, *, worker_id: str) -> Sequence[UUID]:
        """What was dispatched and nobody has claimed."""
        with self._answering():
            back, self.dispatched = self.dispatched, []
            return back

    def wait(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
        """Wait until something about the ledger is true; fails when it never is."""
        with self.changed:
            met = self.changed.wait_for(condition, timeout)
        assert met, f"not met in {timeout} s: {self.states} {self.reports}"
        return met

    def ended(self, run_id: UUID) -> Ended:
        """The last report of a run, waited for."""
        self.wait(lambda: any(one.run_id == run_id for one in self.reports))
        return [one for one in self.reports if one.run_id == run_id][-1]

    def final(self, run_id: UUID) -> RunState:
        """The final state of a run, waited for."""
        self.wait(lambda: self.states[run_id] not in (RunState.PENDING, RunState.RUNNING))
        return self.states[run_id]

    def take_away(self, run_id: UUID) -> None:
        """The lease ran out and somebody else reaped the run."""
        with self.changed:
            self.lost.add(run_id)
            self.states[run_id] = RunState.LOST

    @contextmanager
    def _answering(self) -> Iterator[None]:
        with self.changed:
            try:
                if self.down:
                    self.failures += 1
                    raise DatabaseUnavailable("the ledger is away")
                yield
            finally:
                self.changed.notify_all()

    def _claim(self, run_id: UUID) -> Claim | None:
        if self.states.get(run_id) is not RunState.PENDING:
            return None
        self.states[run_id] = RunState.RUNNING
        self.attempts[run_id] += 1
        job_id = self.jobs[run_id]
        policy = self.definitions[job_id].policy if job_id in self.definitions else None
        return claim(
            run_id=run_id,
            job_id=job_id,
            attempt=self.attempts[run_id],
            max_attempts=policy.max_attempts if policy else 1,
            params=self.params[run_id],
            cause=self.causes.get(run_id, Cause.MANUAL),
        )

    def _finish(self, ended: Ended) -> Offer | None:
        self.reports.append(ended)
        current = (self.states[ended.run_id], self.attempts[ended.run_id])
        if current != (RunState.RUNNING, ended.attempt):
            return None
        if ended.retry_in is None:
            self.states[ended.run_id] = ended.state
            return None
        self.states[ended.run_id] = RunState.PENDING
        self.attempts[ended.run_id] -= 0 if ended.costs_attempt else 1
        return Offer(ended.run_id, datetime.now(UTC) + timedelta(seconds=ended.retry_in))


@contextmanager
def working(
    ledger: Ledger, database: Database | None = None, **worker: Any
) -> Iterator[tuple[Worker, InlineEngine]]:
    """A worker at work on a ledger in memory, stopped at the end."""
    engine = InlineEngine()
    pool = database or Database(NOWHERE)
    own = {name: worker.pop(name) for name in ("logs", "ahead", "isolate", "left") if name in worker}
    one = Worker(ledger, ledger, engine, pool, settings(**worker), worker_id="w1", **own)
    one.start()
    try:
        yield one, engine
    finally:
        one.stop()


def start_run(ledger: Ledger, engine: InlineEngine, job_id: str = "job", **params: Any) -> UUID:
    """A pending run, offered."""
    run_id = ledger.create(job_id, params or None)
    engine.offer([Offer(run_id, None)])
    return run_id


def wait_gone(pid: int, timeout: float = PATIENCE) -> bool:
    """Wait until a process has ended, whoever its parent is; whether it did."""
    if hasattr(os, "pidfd_open"):
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([fd], [], [], timeout)[0])
        finally:
            os.close(fd)
    return not psutil.wait_procs([psutil.Process(pid)], timeout)[1] if psutil.pid_exists(pid) else True


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Fifo:
    """A named pipe through which another process says things; reading waits for it."""

    def __init__(self, path: Any) -> None:
        self.path = str(path)
        os.mkfifo(self.path)
        # Read and write: opening does not wait for the other side, and a closing writer is no end of file.
        self._fd = os.open(self.path, os.O_RDWR)
        self._rest = b""

    def line(self, timeout: float = PATIENCE) -> str:
        """The next line, waited for."""
        while b"\n" not in self._rest:
            assert select.select([self._fd], [], [], timeout)[0], "nobody wrote into the pipe"
            self._rest += os.read(self._fd, 4096)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def number(self) -> int:
        """The next line as a number."""
        return int(self.line())

    def close(self) -> None:
        """Close our ends."""
        os.close(self._fd)
