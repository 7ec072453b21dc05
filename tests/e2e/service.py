"""The service as people run it: a process (or gunicorn's several) with an environment, a log and a port."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.waiting import until

REPOSITORY = Path(__file__).resolve().parents[2]
SERVE = (sys.executable, "-m", "cronzimus", "serve")

_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_START_SECONDS = 40.0
_ANSWER_SECONDS = 20.0
_TAIL = 60


def gunicorn(processes: int) -> tuple[str, ...]:
    """The production form, with so many processes."""
    options = ("-w", str(processes), "-k", "gthread", "--threads", "8", "-b", "127.0.0.1:0")
    return (sys.executable, "-m", "gunicorn", *options, "cronzimus.app:create_app()")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status 0 when nothing did."""

    status: int
    body: Any
    content_type: str
    began: float
    seconds: float

    @property
    def is_problem(self) -> bool:
        """Whether it is an error in the one shape errors have."""
        return self.content_type == "application/problem+json" and self.body.get("status") == self.status


class Service:
    """One command in a session of its own; `folder` is where it runs and finds its configuration."""

    def __init__(
        self, command: tuple[str, ...], folder: Path, environment: Mapping[str, str], name: str
    ) -> None:
        self.log = folder / f"{name}.log"
        self.name = name
        self.serves = "start" not in command
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=dict(environment), stdout=log, stderr=log, start_new_session=True
            )
        self._port: int | None = None

    @property
    def pid(self) -> int:
        """The process that was started; under gunicorn, the master."""
        return self.process.pid

    @property
    def port(self) -> int:
        """Where it listens, once it said so."""
        if self._port is None:
            self._port = until(self._said_port, _START_SECONDS, f"{self.name} to say where it listens")
        return self._port

    def text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = _ANSWER_SECONDS) -> Answer:
        """One request on a connection of its own."""
        began = time.time()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = None if body is None else json.dumps(body).encode()
            headers = {"Connection": "close", **({"Content-Type": "application/json"} if sent else {})}
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            content, kind = response.read(), response.headers.get_content_type()
            read = json.loads(content) if kind.endswith("json") else content.decode(errors="replace")
            return Answer(response.status, read, kind, began, time.time() - began)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, str(error), "", began, time.time() - began)
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Read something."""
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        """Change something."""
        return self.ask("POST", path, {} if body is None else body)

    def is_ready(self) -> bool:
        """Whether it says that it may get requests."""
        return self.get("/readyz").status == 200

    def wait_ready(self, within: float = _START_SECONDS) -> "Service":
        """Wait until it is ready."""

        def ready() -> bool:
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
            return self.is_ready()

        until(ready, within, f"{self.name} to be ready")
        return self

    def send(self, number: signal.Signals) -> None:
        """A signal to the started process alone."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9 of everything it started; the embedded database is no part of that."""
        self._kill_group()
        self.process.wait(10)

    def wait(self, within: float) -> int:
        """Its exit code, once it has ended by itself."""
        until(lambda: self.process.poll() is not None, within, f"{self.name} to end")
        return self.process.returncode

    def reap(self) -> None:
        """Leave nothing behind."""
        self._kill_group()
        self.process.wait(10)
        tail = "\n".join(self.text().splitlines()[-_TAIL:])
        print(f"--- {self.name}, exit {self.process.returncode} ---\n{tail}")

    def _kill_group(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _said_port(self) -> int | None:
        assert (
            self.process.poll() is None
        ), f"{self.name} ended with {self.process.returncode}:\n{self.text()}"
        found = _LISTENS.search(self.text())
        return int(found[1]) if found else None


class Fleet:
    """Services that share a configuration, a database and a witness; all of them end with the test."""

    def __init__(
        self, folder: Path, database_url: str | None, jobs: Mapping[str, Any], **settings: Any
    ) -> None:
        self.folder = folder
        self.witness = folder / "witness.jsonl"
        self.services: list[Service] = []
        self.environment = _environment(folder, self.witness, database_url, settings)
        (folder / "config" / "base").mkdir(parents=True)
        (folder / "config" / "base" / "jobs.yaml").write_text(json.dumps({"jobs": dict(jobs)}))

    def start(self, command: tuple[str, ...] = SERVE, name: str = "", **variables: str) -> Service:
        """Start one more; `variables` are further variables of its environment."""
        name = f"{len(self.services)}-{name or ('gunicorn' if 'gunicorn' in command else 'serve')}"
        service = Service(command, self.folder, {**self.environment, **variables}, name)
        self.services.append(service)
        return service

    def start_all(self, *commands: tuple[str, ...]) -> list[Service]:
        """Start several at once and wait until each is ready."""
        started = [self.start(command) for command in commands]
        return [service.wait_ready() for service in started]

    def close(self) -> None:
        """End what still runs."""
        for service in self.services:
            service.reap()


def _environment(
    folder: Path, witness: Path, database_url: str | None, settings: Mapping[str, Any]
) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    library = folder / "lib"
    library.mkdir()
    (library / "witness.py").write_text((REPOSITORY / "tests" / "e2e" / "witness.py").read_text())
    allowed = json.dumps(["cronzimus.controller", "witness"])
    ours = {
        "server__port": 0,
        "scheduler__allowed_functions": allowed,
        "scheduler__sample_job": False,
        **settings,
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(library), str(REPOSITORY)]),
        "PYTHONUNBUFFERED": "1",
        "WITNESS_FILE": str(witness),
        **({"DATABASE_URL": database_url} if database_url else {}),
        **{f"CRONZIMUS_{name.upper()}": _text(value) for name, value in ours.items()},
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
