"""Waiting for the end of a run."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from cronzimus.cli import waiting
from cronzimus.cli.client import Client
from cronzimus.cli.command import Session
from cronzimus.cli.failures import TimedOut
from cronzimus.cli.waiting import OPEN, await_run, ended, sentence
from cronzimus.errors import NotFound, Unavailable
from cronzimus.models import run as model

Serve = Callable[[WSGIApplication], str]


class Script(Client):
    """A service that answers by a script; the last line is repeated."""

    def __init__(self, *lines: str | Exception) -> None:
        super().__init__()
        self.lines = list(lines)

    def get(self, *path: object, **query: Any) -> Any:
        said = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(said, Exception):
            raise said
        return a_run(said)


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def a_run(state: str, **changes: Any) -> dict[str, Any]:
    return {"id": "r", "job_id": "nightly", "state": state, "duration_ms": None, "error": None, **changes}


def test_open_states_are_those_of_the_models() -> None:
    assert set(OPEN) == model.OPEN


def test_a_run_is_followed_to_its_end(clock: Clock) -> None:
    assert ended(Script("pending", "running", "running", "success"), "r", None)["state"] == "success"
    assert clock.pauses == pytest.approx([0.1, 0.15, 0.225])


def test_pauses_grow_to_a_limit(clock: Clock) -> None:
    ended(Script(*["running"] * 30, "failed"), "r", None)
    assert max(clock.pauses) == clock.pauses[-1] == 2.0


def test_patience_ends_on_time(clock: Clock) -> None:
    with pytest.raises(TimedOut, match="run r has not ended after 5 s: running"):
        ended(Script("running"), "r", 5)
    assert sum(clock.pauses) == pytest.approx(5)


def test_no_patience_looks_once(clock: Clock) -> None:
    assert ended(Script("success"), "r", 0)["state"] == "success"
    with pytest.raises(TimedOut):
        ended(Script("pending"), "r", 0)
    assert clock.pauses == []


def test_a_service_may_be_away_for_a_moment() -> None:
    away = Unavailable("away")
    assert ended(Script(away, "running", away, away, away, "success"), "r", None)["state"] == "success"


def test_a_service_may_not_be_away_for_ever(clock: Clock) -> None:
    with pytest.raises(Unavailable):
        ended(Script("running", Unavailable("away")), "r", None)
    assert 30 < sum(clock.pauses) < 35


def test_a_service_that_is_away_when_time_is_up() -> None:
    with pytest.raises(TimedOut, match="has not ended after 3 s: unknown"):
        ended(Script(Unavailable("away")), "r", 3)


def test_a_run_that_is_gone_is_not_awaited() -> None:
    with pytest.raises(NotFound):
        ended(Script("running", NotFound("gone")), "r", None)


@pytest.mark.parametrize("state", sorted(model.TERMINAL))
def test_the_exit_code_says_whether_it_was_a_success(state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await_run(Session(as_json=True), Script(state), "r", None) == (0 if state == "success" else 1)
    assert json.loads(capsys.readouterr().out)["state"] == state


def test_who_stops_waiting_is_told_that_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(Script):
        def get(self, *path: object, **query: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await_run(Session(), Interrupted("running"), "r", None)
    assert capsys.readouterr().err == "not waiting any longer; run r goes on\n"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (a_run("pending"), "run r of nightly is pending"),
        (a_run("success", duration_ms=1500.0), "run r of nightly ended success after 1.5 s"),
        (a_run("cancelled"), "run r of nightly ended cancelled"),
        (
            a_run("failed", duration_ms=5.0, error={"message": "no disk"}),
            "run r of nightly ended failed after 5 ms: no disk",
        ),
        (a_run("lost", error={}), "run r of nightly ended lost"),
        (a_run("failed", error={"message": "\x1b[2J"}), "run r of nightly ended failed: \\x1b[2J"),
    ],
)
def test_sentence(run: dict[str, Any], said: str) -> None:
    assert sentence(run) == said


@pytest.mark.e2e
def test_ctrl_c_ends_the_waiting_and_nothing_else(serving: Serve) -> None:
    asked = threading.Event()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked.set()
        start("200 OK", [])
        return [json.dumps(a_run("running")).encode()]

    run_id = "00000000-0000-7000-8000-000000000000"
    command = [sys.executable, "-m", "cronzimus", "runs", "wait", run_id, "--url", serving(answer)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, ("", f"not waiting any longer; run {run_id} goes on\n\n"))
