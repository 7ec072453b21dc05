"""What the leader does for calendars: jobs take up their last version, sources are read again once a day."""

import time
from collections.abc import Callable

from cronzimus.common.logger import get_logger
from cronzimus.errors import CronzimusError, DatabaseUnavailable
from cronzimus.models.leader import Term
from cronzimus.services.calendars import Calendars

_LOG = get_logger(__name__)
_EVERY_SECONDS = 1.0
_REFRESH_EVERY_SECONDS = 600.0
_BY = "calendar"


class CalendarUpkeep:
    """`step` is called for ever by a loop and does nothing while standing by."""

    def __init__(self, calendars: Calendars, term: Callable[[], Term | None]) -> None:
        self._calendars = calendars
        self._term = term
        self._refreshed_at: float | None = None

    def step(self) -> float:
        """One round, if this replica leads; seconds until the next. May raise DatabaseUnavailable."""
        if self._term() is None:
            return _EVERY_SECONDS
        self._calendars.take_up(by=_BY)
        if self._refreshed_at is None or time.monotonic() - self._refreshed_at > _REFRESH_EVERY_SECONDS:
            self._refreshed_at = time.monotonic()
            for calendar_id in self._calendars.stale():
                self._refresh(calendar_id)
        return _EVERY_SECONDS

    def _refresh(self, calendar_id: str) -> None:
        """A source that fails leaves its days as they are; the calendar shows why, and it is asked again in an hour."""
        try:
            self._calendars.refresh(calendar_id, by=_BY)
        except DatabaseUnavailable:
            raise
        except CronzimusError as error:
            _LOG.warning("Calendar {} keeps its days: {}", calendar_id, error.message)
