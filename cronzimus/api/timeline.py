"""The timeline: who ran when, across jobs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import BeforeValidator, Field

from cronzimus.api.answers import Answer
from cronzimus.api.queries import Instant, Text, whole_number
from cronzimus.api.security import needs
from cronzimus.api.support import Query, blueprint, house
from cronzimus.errors import Fault, Invalid
from cronzimus.models.job import SLUG
from cronzimus.models.run import Cause, RunState
from cronzimus.models.timeline import Timeline

api = blueprint("timeline")

_LONGEST: Final = timedelta(days=7)
_USUAL: Final = timedelta(hours=1)
_FIRST_INSTANT: Final = datetime.min.replace(tzinfo=UTC)


class TimelineQuery(Query):
    """Which stretch of time; the last hour when nothing is said."""

    since: Instant | None = Field(default=None, description="from then on")
    until: Instant | None = Field(default=None, description="until then; now")
    job_id: Annotated[str, Field(pattern=SLUG)] | None = Field(default=None, description="of this job")
    worker_id: Text | None = Field(default=None, description="on this worker")
    limit: Annotated[int, Field(ge=1, le=5000, description="runs at most"), BeforeValidator(whole_number)] = (
        1000
    )

    def stretch(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> tuple[datetime, datetime]:
        """From when until when; raises Invalid when that is backwards or too long."""
        until = self.until or now()
        since = self.since or until - min(_USUAL, until - _FIRST_INSTANT)
        if not timedelta() < until - since <= _LONGEST:
            fault = Fault("since", f"must lie before until, by at most {_LONGEST.days} days")
            raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))
        return since, until


class StretchView(Answer):
    """One run on the timeline."""

    id: UUID
    job_id: str
    state: RunState
    cause: Cause
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker_id: str | None


class TimelineView(Answer):
    """The runs that were open in a stretch of time, latest first."""

    since: datetime
    until: datetime
    runs: list[StretchView]
    cut: bool = Field(description="whether there were more than limit")


@api.get("/timeline", responses={200: TimelineView})
@needs("read")
def get_timeline(query: TimelineQuery) -> Timeline:
    """Who ran when: the runs that were open in a stretch of time, across jobs."""
    return timeline_of(query, *query.stretch())


def timeline_of(query: TimelineQuery, since: datetime, until: datetime) -> Timeline:
    """The runs of a stretch of time that a query asks for."""
    return house().operating.timelines.between(
        since, until, job_id=query.job_id, worker_id=query.worker_id, limit=query.limit
    )
