"""What an engine knows of itself, and says once."""

import threading

from cronzimus.common.logger import Logger
from cronzimus.common.masking import mask
from cronzimus.errors import EngineUnavailable
from cronzimus.workers.engine import EngineState


class Health:
    """Up or down, as the last try to send or to receive has shown; each change is one line of the log."""

    def __init__(self, where: str, log: Logger) -> None:
        self._where = where
        self._log = log
        self._lock = threading.Lock()
        self._garbage = 0
        self.state = EngineState.UP

    def up(self) -> None:
        """Something got through."""
        if self._becomes(EngineState.UP):
            self._log.info("{} carries deliveries again", self._where)

    def down(self, error: BaseException) -> EngineUnavailable:
        """Something did not get through: what to raise, or to leave unsaid."""
        told = EngineUnavailable(f"{self._where} does not carry deliveries: {_said(error)}")
        if self._becomes(EngineState.DOWN):
            self._log.warning("{}; runs wait, nothing is lost", told.message)
        return told

    def dropped(self, queue: str, reason: BaseException | str) -> None:
        """Something came that is nothing of ours."""
        self._garbage += 1
        told = "dropped a message on {} that is none of ours, number {}: {}"
        level = "WARNING" if self._garbage == 1 else "DEBUG"
        self._log.log(level, told, queue, self._garbage, _said(reason))

    def _becomes(self, state: EngineState) -> bool:
        if self.state is state:
            return False
        with self._lock:
            before, self.state = self.state, state
        return before is not state


def _said(reason: BaseException | str) -> str:
    text = mask(str(reason)).strip().partition("\n")[0]
    return text[:300] or type(reason).__name__
