"""A house of several processes: `serve` and workers, an engine between them, and eyes that see who does what."""

import os
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from tests.e2e.service import SERVE, Service
from tests.e2e.trial import Trial
from tests.e2e.waiting import until

WORKER = (sys.executable, "-m", "cronzimus", "worker", "start")
ENGINES = ["procrastinate", "rabbit", "redis", "inline"]
BROKERS = {"rabbit": "TEST_AMQP_URL", "redis": "TEST_REDIS_URL"}
FINAL = {"success", "partial", "failed", "timeout", "cancelled", "lost"}
_SAMPLE_SECONDS = 0.03
_ENDED_SECONDS = 30.0


def broker_url(engine: str) -> str:
    """Where the shared broker is; skips where there is none."""
    url = os.environ.get(BROKERS[engine])
    if not url:
        pytest.skip(f"no broker: set {BROKERS[engine]}")
    return url


def carried_by(engine: str, url: str | None = None) -> dict[str, Any]:
    """The settings of a house with this engine, and with queues nobody else has on a broker."""
    names = {"task_queue": f"t{uuid4().hex[:8]}", "status_queue": f"s{uuid4().hex[:8]}"}
    if engine in BROKERS:
        url = url or broker_url(engine)
    elif engine == "inline":
        return {"message_queue__url": "memory://", "worker__enabled": True}
    return {
        "message_queue__url": url or "database://",
        **{f"message_queue__{k}": v for k, v in names.items()},
    }


def afar(document: Mapping[str, Any], queue: str = "default", **placement: Any) -> dict[str, Any]:
    """The same job, for workers."""
    return {**document, "runs_on": "workers", "queue": queue, "placement": placement}


def by_hand(kind: str = "function", **params: Any) -> dict[str, Any]:
    """A job of any kind that runs on workers when somebody wants it, any number at a time."""
    policy = {"overlap": "allow"}
    return {
        "kind": kind,
        "params": params,
        "trigger": {"type": "manual"},
        "policy": policy,
        "runs_on": "workers",
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What the ledger says of one run."""

    id: str
    job_id: str
    state: str
    attempt: int
    worker_id: str | None


class Crew:
    """The processes of one trial. Workers go by the names they were given."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.workers: dict[str, Service] = {}
        self.capacity: dict[str, int] = {}

    def serve(self, **variables: str) -> Service:
        """One more `serve`, ready."""
        return self.trial.fleet.start(SERVE, **variables).wait_ready()

    @property
    def front(self) -> Service:
        """A living `serve`."""
        serving = (one for one in self.trial.fleet.services if one.serves)
        return next(one for one in serving if one.process.poll() is None)

    def worker(
        self,
        name: str,
        capacity: int = 2,
        *,
        kinds: str = "",
        queues: str = "",
        labels: str = "",
        isolation: str = "",
        inside: tuple[str, ...] = (),
        **variables: str,
    ) -> Service:
        """Start a worker; under a name of an earlier one it is its successor. `inside` stands before the command."""
        options = {"id": name, "concurrency": str(capacity), "kinds": kinds, "queues": queues}
        options |= {"labels": labels, "isolation": isolation}
        words = [word for option, value in options.items() if value for word in (f"--{option}", value)]
        self.workers[name] = self.trial.fleet.start((*inside, *WORKER, *words), name, **variables)
        self.capacity[name] = capacity
        return self.workers[name]

    def wait_alive(self, *names: str, within: float = 30) -> None:
        """Until the ledger knows these workers (all, when none is named) to be there, under their present lives."""
        wanted = {(name, self.workers[name].pid) for name in names or self.workers}
        seen = "SELECT id, pid FROM cronzimus.workers WHERE status = 'alive'"
        until(
            lambda: wanted <= {(i, pid) for i, pid in self.trial.query(seen)}, within, f"{wanted} to be there"
        )

    def dismiss(self, name: str) -> None:
        """kill -9."""
        self.workers[name].kill()

    def order(self, job_id: str, count: int = 1) -> list[str]:
        """Ask for so many runs; their ids."""
        answers = [self.front.post(f"/api/v1/jobs/{job_id}/run") for _ in range(count)]
        assert all(answer.status == 202 for answer in answers), answers
        return [answer.body["run_id"] for answer in answers]

    def add(self, job_id: str, document: Mapping[str, Any]) -> None:
        """One more job that no judge but the test knows of."""
        answer = self.front.post("/api/v1/jobs", {"id": job_id, **document})
        assert answer.status == 201, answer

    def told(self, run_ids: Iterable[str]) -> list[Told]:
        """What the ledger says of these runs."""
        sql = "SELECT id::text, job_id, state, attempt, worker_id FROM cronzimus.runs WHERE id = ANY(%s::uuid[])"
        return [Told(*row) for row in self.trial.query(sql, list(run_ids))]

    def parts(self, run_id: str) -> list[str]:
        """A run and those that were cut from it."""
        sql = "SELECT id::text FROM cronzimus.runs WHERE id = %s::uuid OR parent_run_id = %s::uuid"
        return [found for (found,) in self.trial.query(sql, run_id, run_id)]

    def wait_state(self, run_id: str, *states: str, within: float = 15) -> Told:
        """The run, once it is in one of these states."""

        def there() -> Told | None:
            return next((one for one in self.told([run_id]) if one.state in states), None)

        found = until(there, within, f"run {run_id} to be {' or '.join(states)}, not {self.told([run_id])}")
        assert found is not None
        return found

    def wait_ended(self, run_ids: Iterable[str], within: float = _ENDED_SECONDS) -> list[Told]:
        """These runs, once all have ended."""
        wanted = list(run_ids)

        def all_ended() -> bool:
            return all(one.state in FINAL for one in self.told(wanted))

        try:
            until(all_ended, within, "")
        except AssertionError:
            raise AssertionError(f"not ended within {within:g} s: {self.open_runs(wanted)}") from None
        return self.told(wanted)

    def open_runs(self, run_ids: Iterable[str]) -> list[tuple[Any, ...]]:
        """Which of these runs have not ended, and what they wait for."""
        sql = (
            "SELECT id::text, job_id, state, attempt, worker_id, held_by, dispatched_at::text, not_before::text"
            " FROM cronzimus.runs WHERE id = ANY(%s::uuid[]) AND state IN ('pending', 'running') LIMIT 10"
        )
        return self.trial.query(sql, list(run_ids))

    def shares(self, run_ids: Iterable[str]) -> dict[str, int]:
        """How many of these runs each worker had."""
        return dict(Counter(one.worker_id or "" for one in self.told(run_ids)))

    def most_at_once(self) -> dict[str, int]:
        """How many runs each worker had in its hands at one time, as the jobs wrote it down themselves."""
        sql = "SELECT run_id::text, attempt, worker_id FROM cronzimus.attempts"
        whose = {(run_id, attempt): worker for run_id, attempt, worker in self.trial.query(sql)}
        steps: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for line in self.trial.lines():
            worker = whose.get((line.run_id, line.attempt))
            if worker is not None:
                steps[worker].append((line.at, 1 if line.event == "start" else -1))
        return {worker: _highest(moments) for worker, moments in steps.items()}

    def capacity_is_back(self, job_id: str, within: float = 20) -> None:
        """Fail unless all living workers can be full at once, and empty again. The job takes a second or two."""
        names = [name for name, worker in self.workers.items() if worker.process.poll() is None]
        self.wait_alive(*names, within=within)
        full = {name: self.capacity[name] for name in names}
        with Eyes(self.trial.url) as eyes:
            ordered = self.order(job_id, sum(full.values()))
            ended = self.wait_ended(ordered, within)
        assert {one.state for one in ended} == {"success"}
        assert eyes.most == full, f"{eyes.most} at once, not {full}"
        left = "SELECT id, running FROM cronzimus.workers WHERE status = 'alive' AND running > 0"
        until(lambda: not self.trial.query(left), 10, "every worker to say that it is empty")

    def forget_queues(self) -> None:
        """Leave nothing behind on a broker that others use."""
        env = self.trial.fleet.environment
        url, tasks = env["CRONZIMUS_MESSAGE_QUEUE__URL"], env.get("CRONZIMUS_MESSAGE_QUEUE__TASK_QUEUE")
        if not url.startswith(("amqp", "redis")):
            return
        names = [env["CRONZIMUS_MESSAGE_QUEUE__STATUS_QUEUE"], *(f"{tasks}.{name}" for name in self.workers)]
        with suppress(OperationalError), Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1)
            for name in names:
                connection.default_channel.queue_delete(name)


class Eyes:
    """Looks all the time at what runs on whom, from beside the house; `most` is the highest that was seen."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.most: dict[str, int] = {}
        self.looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="eyes", daemon=True)

    def __enter__(self) -> "Eyes":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)

    def _look(self) -> None:
        sql = b"SELECT worker_id, count(*) FROM cronzimus.runs WHERE state = 'running' GROUP BY 1"
        while not self._over.is_set():
            with (
                suppress(psycopg.OperationalError),
                psycopg.connect(self._url, autocommit=True) as connection,
            ):
                while not self._over.wait(_SAMPLE_SECONDS):
                    self._note(dict(connection.execute(sql).fetchall()))

    def _note(self, seen: Mapping[str, int]) -> None:
        self.looks += 1
        for worker, runs in seen.items():
            self.most[worker] = max(runs, self.most.get(worker, 0))


def _highest(moments: Iterable[tuple[float, int]]) -> int:
    """The highest sum on the way; of two moments that are the same the end comes first."""
    now = highest = 0
    for _, step in sorted(moments):
        now += step
        highest = max(highest, now)
    return highest
