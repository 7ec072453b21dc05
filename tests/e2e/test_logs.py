"""What runs say, in a real service: 50 MB with everything that is nasty, and a log that is followed live."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.postgres import Postgres
from tests.e2e.service import REPOSITORY, Fleet, Service
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECRET = "hunter2xyz"
MEGABYTES = 50
LIMIT = 256 * 1024
MIB = 1024 * 1024
V1 = "/api/v1"
NOISY = REPOSITORY / "tests" / "e2e" / "noisy.py"


def a_job(params: dict[str, Any], kind: str = "function", **policy: Any) -> dict[str, Any]:
    return {"kind": kind, "params": params, "trigger": {"type": "manual"}, "policy": policy}


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service of its own on the server of the tests."""
    yield from serving(tmp_path, database_url)


@pytest.fixture
def fragile(tmp_path: Path, postgres: Postgres) -> Iterator[Service]:
    """A service on a server that the test may stop."""
    yield from serving(tmp_path, postgres.url(postgres.create_database()))


def serving(tmp_path: Path, database_url: str) -> Iterator[Service]:
    flood = {"func": "noisy:flood", "args": [MEGABYTES]}
    program = {"command": [sys.executable, str(NOISY), str(MEGABYTES)], "env": {"PYTHONUTF8": "1"}}
    steps = {"func": "noisy:steps", "args": [str(tmp_path)]}
    jobs = {
        "flood-thread": a_job(flood),
        "flood-process": a_job(flood, isolation="process"),
        "flood-shell": a_job(program, "shell"),
        "steps-thread": a_job(steps),
        "steps-process": a_job(steps, isolation="process"),
    }
    allowed = json.dumps(["cronzimus.controller", "noisy"])
    settings = {"history__log_bytes": LIMIT, "logging__format": "json"}
    fleet = Fleet(tmp_path, database_url, jobs, **settings)
    fleet.environment["CRONZIMUS_SCHEDULER__ALLOWED_FUNCTIONS"] = allowed
    (tmp_path / "lib" / "noisy.py").write_text(NOISY.read_text())
    yield fleet.start(SHOP_PASSWORD=SECRET).wait_ready()
    fleet.close()


def start(service: Service, job_id: str) -> str:
    answer = service.post(f"{V1}/jobs/{job_id}/run")
    assert answer.status == 202, answer
    return str(answer.body["run_id"])


def state(service: Service, run_id: str) -> str:
    return str(service.get(f"{V1}/runs/{run_id}").body["state"])


def log_of(service: Service, run_id: str) -> list[dict[str, Any]]:
    """The whole log, page by page."""
    lines: list[dict[str, Any]] = []
    while True:
        after = lines[-1]["seq"] if lines else 0
        page = service.get(f"{V1}/runs/{run_id}/logs?limit=1000&after={after}").body
        lines += page["items"]
        if not page["more"]:
            return lines


def texts_of(service: Service, run_id: str) -> list[str]:
    return [line["line"] for line in log_of(service, run_id)]


def command(service: Service, *words: str) -> list[str]:
    return [sys.executable, "-m", "cronzimus", *words, "--url", f"http://127.0.0.1:{service.port}"]


def follow(service: Service, run_id: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(service, "runs", "logs", run_id, "-f", *words),
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )


class Watch:
    """Asks a service again and again while the block lasts: how slow it was at worst, how large it grew."""

    def __init__(self, service: Service) -> None:
        self._service, self._process = service, psutil.Process(service.pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.slowest, self.answers = 0.0, 0
        self.before = self.largest = self._size()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *ending: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for path in ("/api/health", f"{V1}/jobs", "/readyz"):
                answer = self._service.get(path)
                assert answer.status == 200, answer
                self.slowest, self.answers = max(self.slowest, answer.seconds), self.answers + 1
            self.largest = max(self.largest, self._size())

    def _size(self) -> int:
        return int(self._process.memory_info().rss)


@pytest.mark.parametrize("kind", ["thread", "process", "shell"])
def test_fifty_megabytes_are_bounded_masked_and_disturb_nobody(service: Service, kind: str) -> None:
    with Watch(service) as watch:
        run_id = start(service, f"flood-{kind}")
        until(lambda: state(service, run_id) not in ("pending", "running"), 120, "the flood to end")
    assert state(service, run_id) == "success"
    lines = log_of(service, run_id)
    texts = [line["line"] for line in lines]
    assert sum(64 + len(text.encode()) for text in texts) <= 1.1 * LIMIT
    begin = [
        "begin",
        "half ü is whole",
        "torn \ufffd",
        "the password is ***, it is",
        "nul and bell\ufffd",
        "100%",
    ]
    assert texts[: len(begin)] == begin
    assert {"last of stderr: ***", "end"} <= set(texts[-3:])
    (note,) = [line for line in lines if "dropped" in line["line"]]
    assert note["stream"] == "system" and note["level"] == "WARNING"
    dropped = int(note["line"].split()[0])
    printed = 100 * (MEGABYTES * MIB // 7300) + len(begin) + 2
    assert dropped + sum(line["stream"] in ("stdout", "stderr") for line in lines) == printed
    shown = json.dumps(texts) + service.get(f"{V1}/runs/{run_id}/logs/download").body
    run = json.dumps(service.get(f"{V1}/runs/{run_id}").body)
    assert "hunt" not in shown and "\\u001b" not in shown and "\x1b" not in shown
    assert SECRET not in run and SECRET not in service.text()
    assert watch.answers > 3 and watch.slowest < 5
    assert watch.largest - watch.before < 60 * MIB


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_log_is_followed_live_until_the_run_has_ended(service: Service, tmp_path: Path, kind: str) -> None:
    run_id = start(service, f"steps-{kind}")
    with (
        follow(service, run_id) as people,
        follow(service, run_id, "-o", "json", "--grep", "STEP") as programs,
    ):
        assert people.stdout is not None and programs.stdout is not None
        said = [people.stdout.readline() for _ in range(3)]
        assert sorted(line.split(" ", 2)[2].strip() for line in said) == [
            "INFO     logged by the run",
            "WARNING  logged by a library",
            "stdout   step 1",
        ]
        assert json.loads(programs.stdout.readline())["line"] == "step 1"
        assert state(service, run_id) == "running"
        (tmp_path / "go").touch()
        rest = people.stdout.read()
        assert "step 2" in rest and ("past every Python" in rest) is (kind == "process")
        assert json.loads(programs.stdout.read())["line"] == "step 2"
        assert people.wait(20) == programs.wait(20) == 0
    assert state(service, run_id) == "success"


def test_follower_survives_a_restart(service: Service, tmp_path: Path) -> None:
    """The stream breaks in the middle; the lines before and behind the break come once each."""
    run_id = start(service, "steps-thread")
    with follow(service, run_id) as people:
        assert people.stdout is not None
        said = [people.stdout.readline() for _ in range(3)]
        broken = psutil.Process(people.pid)
        broken.suspend()
        (tmp_path / "go").touch()
        until(lambda: state(service, run_id) == "success", 20, "the run to end")
        broken.resume()
        rest = people.stdout.read().splitlines()
        assert people.wait(20) == 0
    assert len(said) + len(rest) == len(log_of(service, run_id)) and "step 2" in rest[-1]


def test_lines_of_the_process_carry_the_run(service: Service, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    for kind in ("thread", "process"):
        run_id = start(service, f"steps-{kind}")
        until(lambda: state(service, run_id) == "success", 20, "the run to end")
        trace_id = service.get(f"{V1}/runs/{run_id}").body["trace_id"]
        spoken = [json.loads(line) for line in service.text().splitlines() if line.startswith("{")]
        mine = {line["message"]: line for line in spoken if line.get("run_id") == run_id}
        for message in ("logged by the run", "logged by a library"):
            assert (mine[message]["job_id"], mine[message]["trace_id"]) == (f"steps-{kind}", trace_id)


def test_started_run_is_followed_to_its_end(service: Service, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    done = subprocess.run(
        command(service, "jobs", "run", "steps-thread", "--follow"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    *log, end = done.stdout.splitlines()
    assert "step 1" in log[0] and "step 2" in log[-1] and "ended success" in end


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_outage_holds_up_no_run_and_loses_no_line(
    fragile: Service, postgres: Postgres, tmp_path: Path, kind: str
) -> None:
    run_id = start(fragile, f"steps-{kind}")
    until(lambda: len(log_of(fragile, run_id)) == 3, 20, "the first lines to be stored")
    postgres.stop()
    (tmp_path / "go").touch()
    until((tmp_path / "done").exists, 20, "the run to end without its database")
    postgres.start()
    until(lambda: fragile.get(f"{V1}/runs/{run_id}").status == 200, 20, "the service to answer again")
    until(lambda: state(fragile, run_id) == "success", 20, "the end to be reported")
    until(
        lambda: "step 2" in texts_of(fragile, run_id), 20, "its last line, which may be stored after its end"
    )
    texts = texts_of(fragile, run_id)
    assert set(texts[3:]) - {"past every Python"} == {"step 2"} and len(texts) == len(set(texts))
