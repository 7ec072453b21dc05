"""What makes a process end: signals, and what its own parts find; and how a refusal to start is said."""

import os
import select
import signal
import sys
from types import FrameType
from typing import Final

from cronzimus.common.logger import get_logger
from cronzimus.errors import ConfigError, CronzimusError

STOPS: Final = (signal.SIGINT, signal.SIGTERM)
EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 78

# Refusals to start that no configuration file can cure.
_NOT_CONFIGURATION = {"BIND", "SCHEMA_TOO_NEW", "WORKER_ID_IN_USE"}
_LOG = get_logger(__name__)


class Orders:
    """Heard one by one in the order they came, however long ago: numbers of signals, and what `give` is called with.

    The interpreter writes each signal's number into a pipe at the moment it comes. Waiting on anything else, the main
    thread could begin to wait just after that moment, and would not wake up.
    """

    def __init__(self, *, kill_after: int = 1) -> None:
        """From now on SIGINT and SIGTERM are requests; after so many the next one ends the process by itself."""
        self._received, self._arriving = os.pipe()
        self._left = kill_after
        os.set_blocking(self._arriving, False)
        signal.set_wakeup_fd(self._arriving, warn_on_full_buffer=False)
        for number in STOPS:
            signal.signal(number, self._count)

    def give(self, order: int) -> None:
        """Put an order, a number no signal has, behind those that came before; from any thread."""
        os.write(self._arriving, bytes([order]))

    def wait(self, *others: int, timeout: float | None = None) -> int:
        """The next signal to stop, or one of the `others`; 0 when none comes within `timeout` seconds."""
        while select.select([self._received], [], [], timeout)[0]:
            if (order := os.read(self._received, 1)[0]) in (*STOPS, *others):
                return order
        return 0

    def _count(self, number: int, frame: FrameType | None) -> None:
        self._left -= 1
        if self._left <= 0:
            for stop in STOPS:
                signal.signal(stop, signal.SIG_DFL)


def refused(error: CronzimusError) -> int:
    """Say why a process does not start; its exit code."""
    sys.stderr.write(f"cronzimus: {error.message}\n")
    for fault in error.faults:
        sys.stderr.write(f"cronzimus: {fault.field}: {fault.message}\n")
    return exit_code_of(error)


def exit_code_of(error: CronzimusError) -> int:
    """How a process ends that cannot start because of `error`."""
    is_configuration = isinstance(error, ConfigError) and error.code not in _NOT_CONFIGURATION
    return EXIT_CONFIG if is_configuration else EXIT_FAILED


def give_up(error: CronzimusError) -> None:
    """End a process that serves already and will never have what it needs."""
    _LOG.critical("The service cannot start: {}", error.message)
    os._exit(exit_code_of(error))
