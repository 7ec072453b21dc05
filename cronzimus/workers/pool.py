"""Threads that can be given up: a task that never ends costs its thread, not its place."""

import ctypes
import threading
from collections.abc import Callable
from queue import SimpleQueue

from cronzimus.common.logger import get_logger

_LOG = get_logger(__name__)

Task = Callable[[], None]


class Abandoned(BaseException):
    """Raised inside a thread whose task was given up, once, in the hope that it ends."""


class _Slot:
    """One thread and what it does; `lock` decides between the end of a task and its abandonment."""

    __slots__ = ("lock", "task", "abandoned", "thread")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.task: Task | None = None
        self.abandoned = False
        self.thread: threading.Thread | None = None


class Pool:
    """At most `size` tasks at one time on daemon threads, made when first needed; more tasks wait in line."""

    def __init__(self, size: int, name: str = "cronzimus-run") -> None:
        self.size = size
        self._name = name
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._slots: list[_Slot] = []
        self._given_up: list[_Slot] = []
        self._made = 0

    @property
    def abandoned(self) -> int:
        """Threads that were given up and still run."""
        with self._lock:
            self._given_up = [slot for slot in self._given_up if slot.thread and slot.thread.is_alive()]
            return len(self._given_up)

    def submit(self, task: Task) -> None:
        """Let the next free thread call `task`, which is expected not to raise."""
        self._queue.put(task)
        if len(self._slots) < self.size:
            self._grow()

    def abandon(self, task: Task) -> bool:
        """Give its place to a new thread and try once to end the stuck one; False when it is not executing.

        1. Under the slot's lock the task is still the slot's: from here its thread takes no other.
        2. The exception is set under the same lock, so that it cannot hit a later task.
        3. The replacement starts at once, whatever the stuck thread does.
        """
        slot = next((slot for slot in list(self._slots) if slot.task is task), None)
        if slot is None:
            return False
        with slot.lock:
            if slot.task is not task:
                return False
            slot.abandoned = True
            _interrupt(slot.thread)
        with self._lock:
            self._slots.remove(slot)
            self._given_up.append(slot)
        self._grow()
        return True

    def close(self) -> None:
        """Let every thread end after the task it has; tasks in line before this are still taken."""
        for _ in range(len(self._slots)):
            self._queue.put(None)

    def _grow(self) -> None:
        with self._lock:
            if len(self._slots) >= self.size:
                return
            slot = _Slot()
            self._slots.append(slot)
            self._made += 1
            name = f"{self._name}-{self._made}"
            slot.thread = threading.Thread(target=self._serve, args=(slot,), name=name, daemon=True)
            slot.thread.start()

    def _serve(self, slot: _Slot) -> None:
        try:
            while not slot.abandoned:
                task = self._queue.get()
                if task is None:
                    return
                self._carry_out(slot, task)
        except Abandoned:
            return

    def _carry_out(self, slot: _Slot, task: Task) -> None:
        slot.task = task
        try:
            task()
        except BaseException as error:
            if not slot.abandoned:
                _LOG.opt(exception=error).error("A task of the pool raised")
        with slot.lock:
            slot.task = None


def _interrupt(thread: threading.Thread | None) -> None:
    if thread is not None and thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Abandoned))
