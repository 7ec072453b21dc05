"""Trying out an installed Cronzimus as a newcomer would: an empty folder, an odd name, no checkout in reach."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from release.contents import SERVED
from release.source import Refused

Found = TypeVar("Found")

# A blank, letters outside of ASCII and a percent sign have each broken something once.
FOLDER = "Größe 100 % neu"
# The least that a login gives; the C locale is what cron and minimal images have.
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C", "CRONZIMUS_ENV": "development"}
ENDED_BY_SIGTERM = 143
_START_SECONDS = 60.0
_END_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.05
_ASSETS = re.compile(r'(?:href|src)="(/static/[^"/]+/)')
_PAGES = {
    "/": "text/html",
    "/docs": "text/html",
    "/jobs": "text/html",
    "/api/v1/openapi.json": "application/json",
    "/metrics": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: seconds until it was ready, and from SIGTERM to the end; files that were asked for."""

    ready: float
    ended: float
    files: int


class Trial:
    """One installed command, in one folder, on one port."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._command, self._folder = list(command), folder
        self._port = _free_port()
        address = {"CRONZIMUS_URL": f"http://127.0.0.1:{self._port}", "HOME": str(folder.parent)}
        self._environment = {**ENVIRONMENT, **address, **environment}

    def run(self, version: str, static: Sequence[str]) -> Figures:
        """Start, look at everything, end; raises Refused at the first thing that is not as promised.

        `static` are the files that the pages may ask for, below `static/`.
        """
        said = self.ask("version")
        _expect(said.split()[-1] == version, f"`version` says {said.strip()!r}, not {version}")
        began = time.monotonic()
        with self._started("serve", "--port", str(self._port)) as service:
            self._until(lambda: self._get("/readyz")[0] == 200, service, "ready")
            ready = time.monotonic() - began
            files = self._look(static)
            self._work()
            ended = self._end(service)
        self._nothing_left()
        return Figures(ready, ended, files)

    def ask(self, *words: str) -> str:
        """What the command answers; Refused when it fails."""
        command = [*self._command, *words]
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        _expect(done.returncode == 0, f"`{' '.join(words)}` ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _look(self, static: Sequence[str]) -> int:
        under = _ASSETS.search(self._page("/", "text/html"))
        _expect(under is not None, "/ names no styles and scripts")
        files = {f"{under[1]}{name}": SERVED[Path(name).suffix] for name in static} if under else {}
        for path, kind in {**_PAGES, **files}.items():
            self._page(path, kind)
        return len(_PAGES) + len(files)

    def _page(self, path: str, kind: str) -> str:
        status, found, text = self._get(path)
        good = (status, found) == (200, kind) and text
        _expect(bool(good), f"{path} answered {status}, {found}, {len(text)} characters; not 200, {kind}")
        return text

    def _work(self) -> None:
        _expect("sample_task" in self.ask("jobs", "list"), "`jobs list` does not know the sample")
        history = json.loads(self.ask("db", "history", "-o", "json"))["items"]
        _expect(bool(history) and all(step["applied"] for step in history), "a revision was not applied")
        self.ask("jobs", "run", "sample_task", "--wait")
        with self._started("worker", "start", "--id", "smoke") as worker:
            self._until(lambda: "smoke" in self.ask("worker", "list"), worker, "listed")
            self._end(worker)

    def _end(self, process: subprocess.Popen[bytes]) -> float:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(_END_SECONDS)
        _expect(code in (ENDED_BY_SIGTERM, -signal.SIGTERM), f"SIGTERM ended it with {code}")
        return time.monotonic() - began

    def _nothing_left(self) -> None:
        written = sorted(path.name for path in self._folder.iterdir())
        _expect(written == ["data"], f"it left {written} in its folder, not data/ alone")
        _until_gone(lambda: [*_processes_of(self._folder)])

    def _get(self, path: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read().decode()
        except OSError:
            return 0, "", ""
        finally:
            connection.close()

    @contextmanager
    def _started(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        log = self._folder.parent / f"{words[0]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._command, *words],
                cwd=self._folder,
                env=self._environment,
                stdout=output,
                stderr=output,
            )
        try:
            yield process
        except Refused as refused:
            raise Refused(f"{refused}\n{log.read_text(encoding='utf-8', errors='replace')}") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _until(self, true: Callable[[], object], process: subprocess.Popen[bytes], what: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not true():
            _expect(process.poll() is None, f"it ended with {process.returncode} before it was {what}")
            _expect(time.monotonic() < deadline, f"it was not {what} within {_START_SECONDS:g} s")
            time.sleep(_LOOK_EVERY_SECONDS)


def _until_gone(left: Callable[[], list[str]]) -> None:
    deadline = time.monotonic() + 10
    while found := left():
        _expect(time.monotonic() < deadline, f"it left processes behind: {', '.join(found)}")
        time.sleep(_LOOK_EVERY_SECONDS)


def _processes_of(folder: Path) -> Iterator[str]:
    """Processes that name the folder or stand in it, the embedded PostgreSQL's among them."""
    for process in psutil.process_iter(["pid", "name", "cmdline", "cwd"]):
        said = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        if any(str(folder) in text for text in said):
            yield f"{process.info['name']} ({process.info['pid']})"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise Refused(otherwise)
