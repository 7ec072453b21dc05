"""What a run is about: its instant, and the stretch of time that ends there.

One rule for every run. Its moment is its due instant, or the `as_of` it was started with, or the time at which
somebody asked for it. The data interval ends at the last due instant that is not after the moment, and begins at the
one before. Where the schedule has no such instant the interval is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cronzimus.models.schedule import Schedule

_FIRST_LOOK: Final = timedelta(seconds=2)
_GROWTH: Final = 4
_FURTHEST: Final = timedelta(days=3660)
_EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the templates of one run may speak of; instants are in UTC, `inputs` are results of other jobs."""

    run_id: str
    job_id: str
    due_at: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    previous_success_at: datetime | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


def occasion_of(
    schedule: Schedule,
    moment: datetime,
    *,
    run_id: str,
    job_id: str,
    previous_success_at: datetime | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Occasion:
    """What a run of that moment is about."""
    start, end = interval_at(schedule, moment)
    return Occasion(run_id, job_id, moment, start, end, previous_success_at, inputs or {})


def interval_at(schedule: Schedule, moment: datetime) -> tuple[datetime, datetime]:
    """Start and end of the last interval of the schedule that was complete at `moment`."""
    end = previous_due(schedule, moment + _INSTANT)
    if end is None:
        return moment, moment
    return previous_due(schedule, end) or end, end


def previous_due(schedule: Schedule, before: datetime) -> datetime | None:
    """The last due instant before that moment; None when there is none in the ten years before it.

    A schedule only knows what comes next. So the look back grows until it finds something, and then halves the
    stretch between an instant found and the moment until nothing lies between.
    """
    look = _FIRST_LOOK
    while True:
        start = max(before - look, _EARLIEST)
        found = schedule.next_after(start)
        if found is not None and found < before:
            return _last_between(schedule, found, before)
        if look > _FURTHEST or start == _EARLIEST:
            return None
        look *= _GROWTH


def asked_at(run_id: UUID) -> datetime:
    """When a run was asked for, to the millisecond: its id begins with it."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)


def _last_between(schedule: Schedule, found: datetime, before: datetime) -> datetime:
    """The last due instant in [found, before): `found` is one, and nothing is due after `empty_from`."""
    empty_from = before
    while (following := schedule.next_after(found)) is not None and following < before:
        middle = found + (empty_from - found) / 2
        later = schedule.next_after(middle)
        if later is not None and later < before:
            found = later
        else:
            found, empty_from = following, middle
    return found
