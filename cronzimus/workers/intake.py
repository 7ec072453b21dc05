"""Where the engine meets the line: what is delivered waits there, and the dispatcher hears of what has left."""

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from uuid import UUID

from cronzimus.common.loop import Loop
from cronzimus.models.run import Offer
from cronzimus.workers.engine import Engine
from cronzimus.workers.engines.inline import InlineEngine


class Intake:
    """One worker's end of an engine. What is told goes by a thread of its own: an engine may be slow to take it."""

    def __init__(
        self,
        engine: Engine,
        line: InlineEngine,
        worker_id: str,
        *,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self._engine, self._line, self._worker_id = engine, line, worker_id
        self._gone: SimpleQueue[UUID] = SimpleQueue()
        self.loop = Loop("engine", self._report, on_error=on_error)

    def start(self, *, receive: bool = True) -> None:
        """Tell what leaves, and unless others hand over, `receive` what is delivered from now on."""
        self.loop.start()
        if receive:
            self._engine.receive(self._worker_id, self.take)

    def take(self, run_ids: Sequence[UUID]) -> None:
        """Put runs the dispatcher gave us into the line; returns at once, from any thread."""
        self._line.offer([Offer(run_id, None) for run_id in run_ids])

    def left(self, run_ids: Sequence[UUID]) -> None:
        """Runs the dispatcher gave us are not here any more; returns at once, from any thread."""
        for run_id in run_ids:
            self._gone.put(run_id)
        self.loop.wake()

    def stop(self, timeout: float = 2.0) -> None:
        """Tell what is still to be told; the engine is closed by whoever made it."""
        self.loop.stop(timeout=timeout)
        self._report()

    def _report(self) -> None:
        gone: list[UUID] = []
        try:
            while True:
                gone.append(self._gone.get_nowait())
        except Empty:
            if gone:
                self._engine.report(self._worker_id, gone)
