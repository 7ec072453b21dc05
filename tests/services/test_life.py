"""What a process tells of itself, and whether another one of this machine is over."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from cronzimus.services import life
from cronzimus.services.life import Meter, is_over
from tests.services.crew import NOBODY


def test_load_names_the_first_hundred_runs() -> None:
    load = Meter().read([UUID(int=number) for number in range(101)])
    assert load.runs == tuple(str(UUID(int=number)) for number in range(100))
    assert load.memory_mb > 1


def test_processor_is_measured_between_two_looks() -> None:
    meter = Meter()
    meter.read([])
    until = sum(os.times()[:2]) + 0.2
    while sum(os.times()[:2]) < until:
        pass
    assert meter.read([]).cpu_percent > 10


def test_living_process_is_not_over_and_a_killed_one_is_before_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert not is_over(process.pid)
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_over(process.pid)
    assert is_over(process.pid)


def test_nobody_and_whoever_had_our_number_are_over() -> None:
    assert is_over(NOBODY) and is_over(os.getpid())


def test_process_that_may_not_be_looked_at_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(psutil, "Process", refuse)
    assert not is_over(1)


def test_machine_is_the_host_and_the_container_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers on the host's network share its name, and both have a process 8."""
    host, inside = socket.gethostname(), tmp_path / "pid"
    inside.touch()
    monkeypatch.setattr(life, "_PID_NAMESPACE", inside)
    assert life.machine() == f"{host}-{inside.stat().st_ino & 0xFFFF:04x}"
    monkeypatch.setattr(life, "_FIRST_PID_NAMESPACE", inside.stat().st_ino)
    assert life.machine() == host
    monkeypatch.setattr(life, "_PID_NAMESPACE", tmp_path / "none")
    assert life.machine() == host
