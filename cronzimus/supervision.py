"""What supervisord is taught: a program that it gives up ends everything, and the exit code says so.

By itself it goes on without that program for ever, and ends with 0 whatever happened. cronzimus-supervisord.ini names
this file as an RPC interface, the one place where supervisord calls code of others in its own process.
"""

import atexit
import os
from typing import Final

from supervisor.events import ProcessStateFatalEvent, subscribe
from supervisor.states import SupervisorStates
from supervisor.supervisord import Supervisor

EXIT_GIVEN_UP: Final = 1


class NoVerbs:
    """An RPC interface that offers nothing."""


def end_when_given_up(supervisord: Supervisor) -> NoVerbs:
    """Called by supervisord while it starts: from then on a program in state FATAL stops all the others."""

    def stop_all(event: ProcessStateFatalEvent) -> None:
        """End everything, and say so in the exit code."""
        # What is in its pause between two starts is called FATAL too when somebody stops supervisord.
        if supervisord.options.mood < SupervisorStates.RUNNING:
            return
        name = event.process.config.name
        supervisord.options.logger.critical(f"{name} could not be kept alive: everything is stopped")
        supervisord.options.mood = SupervisorStates.SHUTDOWN
        # supervisord always ends with 0, so the last word is spoken after it.
        atexit.register(os._exit, EXIT_GIVEN_UP)

    subscribe(ProcessStateFatalEvent, stop_all)
    return NoVerbs()
