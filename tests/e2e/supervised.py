"""Everything Cronzimus is, under supervisord: from this checkout, or as a container of the image in TEST_IMAGE."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil

from tests.e2e.service import REPOSITORY
from tests.e2e.waiting import until

TOKEN = "only-for-this-test"
IMAGE = os.environ.get("TEST_IMAGE")
_INI = "cronzimus-supervisord.ini"
# As little as a hardened host gives: no capability, no writable file but in /tmp.
_HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


def environment(url: str) -> dict[str, str]:
    """What production needs, on a free port of this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "CRONZIMUS_ENV": "production",
        "DATABASE_URL": url,
        "CRONZIMUS_API_TOKEN": TOKEN,
        "CRONZIMUS_SERVER__HOST": "127.0.0.1",
        "CRONZIMUS_SERVER__PORT": str(port),
        "CRONZIMUS_WORKER__ALLOWED_COMMANDS": "sleep",
    }


class Host(Protocol):
    """Where supervisord runs."""

    def control(self, *words: str) -> str:
        """What supervisorctl answers."""

    def kill(self, pid: int) -> None:
        """kill -9 of one process."""

    def terminate(self) -> None:
        """Ask supervisord to end."""

    def exit_code(self, within: float) -> int:
        """How it ended."""

    def text(self) -> str:
        """What was logged."""

    def close(self) -> None:
        """Leave nothing behind."""


class Here:
    """A process on this machine; the files it needs lie in a folder of its own instead of /tmp."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._ini = folder / _INI
        self._ini.write_text((REPOSITORY / _INI).read_text().replace("/tmp/", f"{folder}/"))
        self._log = folder / "supervisord.log"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {"PATH": path, "PYTHONPATH": str(REPOSITORY), **variables}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["supervisord", "-n", "-c", str(self._ini)],
                cwd=folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def control(self, *words: str) -> str:
        """What supervisorctl answers."""
        command = ["supervisorctl", "-c", str(self._ini), *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=30)
        return done.stdout

    def kill(self, pid: int) -> None:
        """kill -9 of one process."""
        os.kill(pid, signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM, as every init and container engine sends it."""
        self._process.terminate()

    def exit_code(self, within: float) -> int:
        """How it ended."""
        return self._process.wait(within)

    def text(self) -> str:
        """What supervisord and its programs said."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """Kill whatever is left of it."""
        left = []
        if self._process.poll() is None:
            left = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
        for process in left:
            if process.is_running():
                process.kill()
        self._process.wait(10)


class Container:
    """A container of the image, by podman (or what TEST_ENGINE names), on the network of this machine."""

    def __init__(self, image: str, name: str, variables: Mapping[str, str]) -> None:
        self._engine, self._name = os.environ.get("TEST_ENGINE", "podman"), name
        given = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        self._run("run", "--detach", "--name", name, "--network", "host", *_HARDENED, *given, image)

    def control(self, *words: str) -> str:
        """What supervisorctl answers inside of it."""
        return self._run("exec", self._name, "supervisorctl", "-c", f"/app/{_INI}", *words, check=False)

    def kill(self, pid: int) -> None:
        """kill -9 of one process, by its number inside."""
        self._run("exec", self._name, "sh", "-c", f"kill -9 {pid}")

    def terminate(self) -> None:
        """SIGTERM to its first process."""
        self._run("kill", "--signal", "TERM", self._name)

    def exit_code(self, within: float) -> int:
        """How it ended."""
        return int(self._run("wait", self._name, timeout=within))

    def is_healthy(self) -> bool:
        """What the image's own HEALTHCHECK finds."""
        done = subprocess.run(
            [self._engine, "healthcheck", "run", self._name], capture_output=True, timeout=30
        )
        return done.returncode == 0

    def text(self) -> str:
        """What it said."""
        done = subprocess.run([self._engine, "logs", self._name], capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    def close(self) -> None:
        """Remove it, running or not."""
        self._run("rm", "--force", self._name, check=False)

    def _run(self, *words: str, check: bool = True, timeout: float = 60) -> str:
        done = subprocess.run([self._engine, *words], capture_output=True, text=True, timeout=timeout)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout


class House:
    """Everything that shares a database, asked where it serves on this machine."""

    def __init__(self, port: str) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body; status 0 when nothing came."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        try:
            with urlopen(Request(self._url + path, sent, headers), timeout=10) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except (URLError, OSError) as error:
            return 0, str(error)

    def wait_whole(self, within: float = 90) -> Self:
        """Wait until pages are served, somebody leads and a worker takes runs."""
        until(self.is_whole, within, "all programs to do their work")
        return self

    def is_whole(self) -> bool:
        """Whether pages are served, somebody leads and a worker takes runs."""
        return self.ask("/readyz")[0] == 200 and all(map(self.processes, ("scheduler", "worker")))

    def processes(self, program: str) -> set[str]:
        """Which processes do the work of a program, as far as the service knows: whoever leads, who takes runs."""
        status, body = self.ask("/api/v1/workers")
        living = [one for one in body["items"] if one["status"] == "alive"] if status == 200 else []
        does = {
            "web": lambda one: one["roles"] == ["api"],
            "scheduler": lambda one: one["leads"],
            "worker": lambda one: "workers" in one["takes"],
        }
        return {one["id"] for one in living if does[program](one)}

    def order(self, job_id: str) -> str:
        """The id of a run by hand."""
        status, body = self.ask(f"/api/v1/jobs/{job_id}/run", {})
        assert status in (200, 201, 202), body
        return str(body["run_id"])


class Supervised(House):
    """The same under supervisord."""

    def __init__(self, host: Host, port: str) -> None:
        super().__init__(port)
        self.host = host

    def pid(self, program: str) -> int:
        """The process of a program; 0 while there is none."""
        said = self.host.control("pid", f"cronzimus:{program}").strip()
        return int(said) if said.isdigit() else 0
