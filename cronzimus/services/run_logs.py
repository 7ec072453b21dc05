"""What runs said, read again: page by page, from the end, and searched across runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.logger import LevelName
from cronzimus.common.sql import queries
from cronzimus.models.log_line import StoredLine, Stream, levels_from
from cronzimus.models.run import Run
from cronzimus.services.history import History

_SQL = queries("cronzimus.services.sql", "run_logs.sql")
# Lines carry the clock of their worker, a run that of the database.
_CLOCKS_DIFFER = timedelta(days=1)
_END = 2**63 - 1
_WHOLE_PAGE = 1000
_MOST_LOOKED_AT = 100_000


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines; what is None lets everything through. `level` is the lowest: printed lines have none."""

    q: str | None = None
    level: LevelName | None = None
    stream: Stream | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines, first to last, and whether there are more on the side that was asked for."""

    items: tuple[StoredLine, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, newest first; `next` is where to go on, None when everything was looked at."""

    items: tuple[StoredLine, ...]
    next: tuple[datetime, int] | None


ALL = LineFilter()


class RunLogs:
    """All may raise DatabaseUnavailable; what is asked of a run that is not there is NotFound RUN_NOT_FOUND."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = History(database)

    def run(self, run_id: UUID) -> Run:
        """The run whose log it is."""
        return self._history.run(run_id)

    def page(self, run: Run, wanted: LineFilter = ALL, *, after: int = 0, limit: int = 200) -> LinePage:
        """The lines behind the place `after`."""
        rows = self._lines("lines_after", run, wanted, limit, after=after)
        return LinePage(tuple(rows[:limit]), len(rows) > limit)

    def page_before(
        self, run: Run, wanted: LineFilter = ALL, *, before: int | None = None, limit: int = 200
    ) -> LinePage:
        """The lines before a place, or the last of all."""
        rows = self._lines("lines_before", run, wanted, limit, before=_END if before is None else before)
        return LinePage(tuple(reversed(rows[:limit])), len(rows) > limit)

    def whole(self, run: Run, wanted: LineFilter = ALL, *, after: int = 0) -> Iterator[StoredLine]:
        """Every line there is by now, a page at a time and in no transaction."""
        while True:
            page = self.page(run, wanted, after=after, limit=_WHOLE_PAGE)
            yield from page.items
            if not page.more:
                return
            after = page.items[-1].seq

    def search(
        self,
        wanted: LineFilter = ALL,
        *,
        job_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
    ) -> Found:
        """Lines of any run, newest first. One call looks at so many lines at most and says where to go on."""
        place = {"before_at": before and before[0], "before_seq": before and before[1]}
        filters = {**_filters(wanted), "job_id": job_id, "since": since, "until": until}
        rows = self._database.fetch_all(
            _SQL["search"], {**filters, **place, "limit": limit, "most": _MOST_LOOKED_AT}
        )
        items = tuple(StoredLine(*row[1:]) for row in rows if row[0])
        if len(items) == limit:
            return Found(items, (items[-1].at, items[-1].seq))
        reached = [StoredLine(*row[1:]) for row in rows if not row[0]]
        return Found(items, (reached[0].at, reached[0].seq) if reached else None)

    def _lines(
        self, statement: str, run: Run, wanted: LineFilter, limit: int, **place: int
    ) -> list[StoredLine]:
        params = {
            **_filters(wanted),
            **place,
            "run_id": run.id,
            "since": run.queued_at - _CLOCKS_DIFFER,
            "attempt": wanted.attempt,
            "limit": limit + 1,
        }
        return self._database.fetch_all(_SQL[statement], params, row=StoredLine)


def _filters(wanted: LineFilter) -> dict[str, Any]:
    return {
        "pattern": None if wanted.q is None else f"%{_literal(wanted.q)}%",
        "levels": None if wanted.level is None else array(levels_from(wanted.level)),
        "stream": wanted.stream,
    }


def _literal(text: str) -> str:
    """The text as a pattern that matches only itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
