"""A daemon thread that repeats one step for ever, whatever the step does."""

import threading
import time
from collections.abc import Callable

Step = Callable[[], float | None]


class Loop:
    """Calls `step` again and again; `step` returns the seconds to wait, None meaning until `wake()`.

    A step that raises is reported to `on_error` and tried again after a growing pause (0.1 s to 1 s).
    """

    def __init__(self, name: str, step: Step, *, on_error: Callable[[str, Exception], None]) -> None:
        self.name = name
        self._step = step
        self._on_error = on_error
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self.last_completed = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; starting twice is a no-op."""
        with self._changing:
            if self.alive:
                return
            self._stopping.clear()
            self.last_completed = time.monotonic()
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Let the next step begin now."""
        self._wanted.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """Ask the thread to end and wait at most `timeout` seconds; whether it ended."""
        self._stopping.set()
        self._wanted.set()
        with self._changing:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return not self.alive

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self._step_once()
            self._wanted.wait(pause)
            self._wanted.clear()

    def _step_once(self) -> float | None:
        try:
            pause = self._step()
        except Exception as error:
            self._failures += 1
            self._on_error(self.name, error)
            return float(min(0.1 * 2 ** min(self._failures - 1, 4), 1.0))
        self._failures = 0
        self.last_completed = time.monotonic()
        return pause
