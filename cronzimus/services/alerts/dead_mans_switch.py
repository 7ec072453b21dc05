"""The ping to an outside service that raises the alarm when it hears nothing: who watches the watch."""

from collections.abc import Callable
from http import HTTPStatus

from cronzimus.common.db import Database
from cronzimus.common.http import RequestFailed, request
from cronzimus.common.logger import get_logger
from cronzimus.common.masking import mask, register_secret
from cronzimus.common.sql import queries
from cronzimus.models.leader import Term
from cronzimus.version import version

_SQL = queries("cronzimus.services.alerts", "dead_mans_switch.sql")
_LOG = get_logger(__name__)
_ASK_SECONDS = 1.0
_BACKLOG_SECONDS = 30.0
_ANSWER_SECONDS = 10.0


class DeadMansSwitch:
    """Pings while this installation really fires: this replica leads, and nothing that is due has been left lying."""

    def __init__(
        self,
        database: Database,
        term: Callable[[], Term | None],
        url: str,
        *,
        every_seconds: float = 60.0,
        method: str = "GET",
    ) -> None:
        self._database = database
        self._term = term
        self._url = url
        self._every = every_seconds
        self._method = method
        self._silent = False
        register_secret(url)

    def step(self) -> float:
        """One ping, if all is well; seconds until the next look."""
        if self._term() is None:
            return min(_ASK_SECONDS, self._every)
        if self._is_behind():
            self._trouble("what is due has not been decided for a while")
        else:
            self._ping()
        return self._every

    def _is_behind(self) -> bool:
        return self._database.fetch_one(_SQL["behind"], {"seconds": _BACKLOG_SECONDS}) is not None

    def _ping(self) -> None:
        headers = {"User-Agent": f"cronzimus/{version()}"}
        try:
            answer = request(
                self._method,
                self._url,
                headers=headers,
                content=b"" if self._method == "POST" else None,
                timeout=_ANSWER_SECONDS,
                keep_bytes=0,
            )
        except RequestFailed as error:
            self._trouble(mask(str(error)).partition(": ")[2])
            return
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            self._trouble(f"it answered {answer.status}")
        elif self._silent:
            self._silent = False
            _LOG.info("The dead man's switch is pinged again")

    def _trouble(self, what: str) -> None:
        """Said once, not every minute: the outside service tells the rest."""
        if not self._silent:
            self._silent = True
            _LOG.warning("The dead man's switch is not pinged: {}", what)
