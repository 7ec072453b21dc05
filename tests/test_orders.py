"""Orders are heard in the order they came; a refusal to start is a sentence and an exit code."""

import signal
import subprocess
import sys

import pytest

from cronzimus import orders
from cronzimus.errors import ConfigError, Conflict, CronzimusError, Fault
from cronzimus.orders import exit_code_of, give_up, refused

SIGNALLED = """
import signal, sys, threading, time
from cronzimus.orders import Orders

main = threading.get_ident()

def kill():
    while sys._current_frames()[main].f_code.co_name != "wait":
        pass
    time.sleep(0.1)
    signal.pthread_kill(threading.get_ident(), {number})

orders = Orders()
threading.Thread(target=kill).start()
print(orders.wait())
"""
IN_TURN = """
import os, signal
from cronzimus.orders import Orders

orders = Orders(kill_after=2)
orders.give(200)
os.kill(os.getpid(), signal.SIGTERM)
orders.give(201)
os.kill(os.getpid(), signal.SIGINT)
print(orders.wait(200), orders.wait(200), orders.wait(200, timeout=0), orders.wait(200, timeout=0), flush=True)
os.kill(os.getpid(), signal.SIGTERM)
"""


def run(script: str) -> tuple[str, int]:
    """What a process of its own says, and how it ends."""
    words = [sys.executable, "-c", script]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)  # nosec B603
    return ended.stdout, ended.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_interrupts_no_wait_is_heard(number: int) -> None:
    """It comes to another thread, as if it had come just before the main thread began to wait."""
    assert run(SIGNALLED.format(number=int(number))) == (f"{int(number)}\n", 0)


def test_orders_come_in_turn_and_the_last_signal_kills() -> None:
    """What nobody asked for is passed over; where nothing comes, the answer is 0."""
    assert run(IN_TURN) == ("200 15 2 0\n", -signal.SIGTERM)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 78),
        (ConfigError("taken", code="BIND"), 1),
        (ConfigError("new", code="SCHEMA_TOO_NEW"), 1),
        (Conflict("used", code="WORKER_ID_IN_USE"), 1),
    ],
)
def test_exit_code_tells_whether_the_configuration_is_wrong(error: CronzimusError, code: int) -> None:
    assert exit_code_of(error) == code


def test_refusal_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(ConfigError("two faults", faults=[Fault("a", "is odd"), Fault("b", "is even")])) == 78
    assert capsys.readouterr().err == "cronzimus: two faults\ncronzimus: a: is odd\ncronzimus: b: is even\n"


def test_giving_up_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(orders.os, "_exit", codes.append)
    give_up(Conflict("used"))
    assert codes == [1]
