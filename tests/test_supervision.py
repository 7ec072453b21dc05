"""A program that supervisord gives up ends everything with 1; one that is given up while all stops changes nothing."""

import subprocess
import sys

import pytest

_PLAY = """
from types import SimpleNamespace as Some
from supervisor.events import ProcessStateFatalEvent, notify
from supervisor.states import SupervisorStates
from cronzimus.supervision import end_when_given_up

options = Some(mood=SupervisorStates.{mood}, logger=Some(critical=print))
end_when_given_up(Some(options=options))
notify(ProcessStateFatalEvent(Some(config=Some(name="web")), "BACKOFF"))
print(options.mood == SupervisorStates.SHUTDOWN, flush=True)
"""


@pytest.mark.parametrize(
    ("mood", "code", "said"),
    [
        ("RUNNING", 1, "web could not be kept alive: everything is stopped\nTrue\n"),
        ("SHUTDOWN", 0, "True\n"),
        ("RESTARTING", 0, "False\n"),
    ],
)
def test_given_up_program_decides_the_exit_code_unless_all_stops_anyway(
    mood: str, code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PLAY.format(mood=mood)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (code, said), done.stderr
