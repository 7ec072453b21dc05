"""A house as it is run: `serve` and workers as processes of their own, on a benchmark's database."""

import json
import os
import subprocess  # nosec B404  # our own command, no shell
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.household import SQL
from benchmarks.process import wait_until
from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.utils.ids import new_id

_FOUNDATION = Path(__file__).resolve().parents[1]


@dataclass
class Crew:
    """The processes, in the order they were started, and a session beside them."""

    database: Database
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def alive(self) -> bool:
        """True; raises RuntimeError when a process has ended."""
        ended = [process.returncode for process in self.processes if process.poll() is not None]
        if ended:
            raise RuntimeError(f"a process of the house ended with {ended}")
        return True

    def order(self, job_id: str, count: int) -> float:
        """Write so many runs that wait for workers, and say so; when it began, by the database's clock."""
        (began,) = self.database.fetch_one(SQL["now"]) or (0.0,)
        ids = [new_id() for _ in range(count)]
        with self.database.transaction():
            self.database.execute(SQL["write_runs"], {"ids": array(ids), "job_id": job_id})
            self.database.execute(SQL["tell"])
        return float(began)

    def ended(self, job_id: str) -> tuple[int, float]:
        """How many runs of a job have ended well, and when the last of them did."""
        count, last = self.database.fetch_one(SQL["ended"], {"job_id": job_id}) or (0, 0.0)
        return int(count), float(last)

    def one(self, name: str, **params: Any) -> Any:
        """The one value that a statement gives."""
        row = self.database.fetch_one(SQL[name], params)
        return row[0] if row else None


@contextmanager
def crew(
    url: str,
    jobs: Mapping[str, Any],
    *,
    workers: int = 2,
    places: int = 10,
    queue_url: str = "database://",
    **settings: Any,
) -> Iterator[Crew]:
    """`jobs` as jobs.yaml has them; everybody is there when it begins, and nobody when it has ended."""
    name = uuid4().hex[:8]
    given = {
        "message_queue__url": queue_url,
        "message_queue__task_queue": f"t{name}",
        "message_queue__status_queue": f"s{name}",
        "scheduler__allowed_functions": json.dumps(["cronzimus.controller", "benchmarks.tasks"]),
        "scheduler__sample_job": "false",
        "server__port": "0",
        "logging__level": "WARNING",
        **settings,
    }
    with tempfile.TemporaryDirectory(prefix="cronzimus-bench-") as folder:
        base = Path(folder) / "config" / "base"
        base.mkdir(parents=True)
        (base / "jobs.yaml").write_text(json.dumps({"jobs": dict(jobs)}), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(_FOUNDATION), "DATABASE_URL": url}
        environment |= {f"CRONZIMUS_{key.upper()}": str(value) for key, value in given.items()}
        made = Crew(Database(url, 2, statement_timeout=None))
        commands = [("serve",)]
        commands += [
            ("worker", "start", "--id", f"w{n}", "--concurrency", str(places)) for n in range(workers)
        ]
        try:
            for command in commands:
                words = [sys.executable, "-m", "cronzimus", *command]
                made.processes.append(subprocess.Popen(words, cwd=folder, env=environment))  # nosec B603
            wait_until(
                lambda: made.alive() and made.one("workers") == workers and made.one("known", jobs=len(jobs))
            )
            yield made
        finally:
            made.database.close()
            for process in made.processes:
                process.kill()
                process.wait()


def far(function: str = "nothing", **more: Any) -> dict[str, Any]:
    """A job that runs on workers when somebody wants it."""
    func = {"func": f"benchmarks.tasks:{function}"}
    policy = {"overlap": "allow"}
    return {"params": func, "trigger": {"type": "manual"}, "runs_on": "workers", "policy": policy, **more}
