"""What runs said: in pages, as a file, live, and searched across runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from flask import Response, request
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import to_json

from cronzimus.api.events import HEARTBEAT_SECONDS, live, message
from cronzimus.api.models import LogPage, LogSearch
from cronzimus.api.queries import Instant, RunPath, Text, whole_number
from cronzimus.api.render import line_view
from cronzimus.api.security import needs
from cronzimus.api.support import Query, blueprint, house
from cronzimus.common.logger import LevelName
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.log_line import StoredLine, Stream
from cronzimus.models.run import OPEN, Run
from cronzimus.services.events import Subscription
from cronzimus.services.run_logs import LineFilter, RunLogs

api = blueprint("logs")

Responses = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = r"^[0-9]{1,17}\.[0-9]{1,18}$"
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}}
# Events are hints: without any the log is looked at all the same, and the heartbeat is sent.
_LOOK_SECONDS = 2.0
# However many events there are, so often is the log looked at and no more.
_SPACING_SECONDS = 0.05
_STREAM: Responses = {200: {"content": {"text/event-stream": {"schema": _EVENT}}}}
_FILE: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

Place = Annotated[int, Field(ge=0, le=10**18 - 1), BeforeValidator(whole_number)]
Lines = Annotated[int, Field(ge=1, le=1000, description="lines on one page"), BeforeValidator(whole_number)]
Number = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(whole_number)]


class LineQuery(Query):
    """Which lines."""

    q: Text | None = Field(default=None, description="text that the line holds, in any case")
    level: LevelName | None = Field(default=None, description="this level and more serious ones")
    stream: Stream | None = None

    def wanted(self) -> LineFilter:
        """What the service takes."""
        return LineFilter(self.q, self.level, self.stream)


class RunLineQuery(LineQuery):
    """Which lines of one run."""

    attempt: Number | None = None

    def wanted(self) -> LineFilter:
        """What the service takes."""
        return LineFilter(self.q, self.level, self.stream, self.attempt)


class PlaceQuery(RunLineQuery):
    """Which lines of one run, and from where on."""

    after: Place = Field(default=0, description="lines behind this seq")


class LogQuery(PlaceQuery):
    """Which part of the log of one run."""

    before: Place | None = Field(default=None, description="the last lines before this seq instead")
    tail: Literal["true", "false"] = Field(default="false", description="the last lines of all instead")
    limit: Lines = 200


class SearchQuery(LineQuery):
    """Which lines of any run."""

    job_id: Text | None = None
    since: Instant | None = Field(default=None, description="from this instant on")
    until: Instant | None = Field(default=None, description="before this instant")
    before: Annotated[str, Field(pattern=_CURSOR)] | None = Field(
        default=None, description="what the last answer gave as next"
    )
    limit: Lines = 50


@api.get("/runs/<run_id>/logs", responses={200: LogPage})
@needs("read")
def get_run_log(path: RunPath, query: LogQuery) -> dict[str, Any]:
    """Read the log of a run, first lines first."""
    logs = house().operating.run_logs
    run, wanted = logs.run(path.run_id), query.wanted()
    if query.tail == "true" or query.before is not None:
        page = logs.page_before(run, wanted, before=query.before, limit=query.limit)
    else:
        page = logs.page(run, wanted, after=query.after, limit=query.limit)
    return {"items": [line_view(line) for line in page.items], "more": page.more}


@api.get("/runs/<run_id>/logs/download", responses=_FILE)
@needs("read")
def download_run_log(path: RunPath, query: RunLineQuery) -> Response:
    """The whole log of a run as a text file."""
    logs = house().operating.run_logs
    run = logs.run(path.run_id)
    headers = {"Content-Disposition": f'attachment; filename="{run.job_id}-{run.id}.log"'}
    return Response(_file(logs, run, query.wanted()), mimetype="text/plain", headers=headers)


@api.get("/runs/<run_id>/logs/stream", responses=_STREAM)
@needs("read")
def stream_run_log(path: RunPath, query: PlaceQuery) -> Response:
    """Follow the log of a run to its end; a reader that comes back goes on where it was."""
    hub, logs = house().operating.hub, house().operating.run_logs
    logs.run(path.run_id)
    name, after = str(path.run_id), max(query.after, _last_seen())
    subscription = hub.subscribe(lambda event: _speaks_of(event, name))
    return live(hub, subscription, _follow(logs, path, query.wanted(), after, subscription))


@api.get("/logs", responses={200: LogSearch})
@needs("read")
def search_logs(query: SearchQuery) -> dict[str, Any]:
    """Search the logs of all runs, latest lines first; a long search is continued where it stopped."""
    found = house().operating.run_logs.search(
        query.wanted(),
        job_id=query.job_id,
        since=query.since,
        until=query.until,
        before=None if query.before is None else _place(query.before),
        limit=query.limit,
    )
    next = None if found.next is None else _cursor(found.next)
    return {"items": [line_view(line) for line in found.items], "next": next}


def text_of(line: StoredLine) -> str:
    """One line of the file."""
    moment = line.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{moment} {line.attempt} {line.stream:<6} {line.level or '-':<8} {line.line}\n"


def _file(logs: RunLogs, run: Run, wanted: LineFilter) -> Iterator[bytes]:
    batch: list[str] = []
    for line in logs.whole(run, wanted):
        batch.append(text_of(line))
        if len(batch) == 100:
            yield "".join(batch).encode()
            batch.clear()
    yield "".join(batch).encode()


def _follow(
    logs: RunLogs, path: RunPath, wanted: LineFilter, after: int, subscription: Subscription
) -> Iterator[bytes]:
    """Whether the run has ended is looked at before its lines are: what it said was stored before that."""
    silent = 0.0
    while True:
        try:
            run = logs.run(path.run_id)
            for line in logs.whole(run, wanted, after=after):
                after, silent = line.seq, 0.0
                yield message("line", to_json(line_view(line)), line.seq)
            if run.state not in OPEN:
                yield message("end", to_json({"run_id": run.id, "state": run.state}), after)
                return
        except DatabaseUnavailable:
            yield b": the database does not answer\n\n"
        if subscription.take(_LOOK_SECONDS) is None:
            return
        subscription.rest(_SPACING_SECONDS)
        silent += _LOOK_SECONDS
        if silent >= HEARTBEAT_SECONDS:
            silent = 0.0
            yield b": still here\n\n"


def _speaks_of(event: Event, run_id: str) -> bool:
    return event.id == run_id and event.topic in (Topic.LOG, Topic.RUN)


def _last_seen() -> int:
    """Where a browser was when its connection broke."""
    given = request.headers.get("Last-Event-ID", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


def _cursor(place: tuple[datetime, int]) -> str:
    at, seq = place
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{seq}"


def _place(cursor: str) -> tuple[datetime, int]:
    moment, _, seq = cursor.partition(".")
    return _EPOCH + timedelta(microseconds=int(moment)), int(seq)
