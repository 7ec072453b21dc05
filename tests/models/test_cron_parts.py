"""Parts: intervals in absolute time, single dates, and cron lines between bounds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.cron import compile_fields, split_expression
from cronzimus.models.cron_dst import CronWalk, DstPolicy
from cronzimus.models.cron_parts import CronPart, DatePart, IntervalPart
from cronzimus.models.cron_zone import EPOCH

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def cron(
    line: str, start: datetime | None = None, end: datetime | None = None, zone: str = "UTC"
) -> CronPart:
    """A cron part."""
    return CronPart(CronWalk(compile_fields(split_expression(line), None), zone, None), start, end)


def every(**length: float) -> IntervalPart:
    """An interval counted from 1970."""
    return IntervalPart(EPOCH, timedelta(**length), None, None)


def test_interval_counts_from_1970() -> None:
    assert every(minutes=7).next_after(NOON - TICK) == every(minutes=7).next_after(
        NOON - timedelta(seconds=1)
    )
    found = every(minutes=7).next_after(NOON)
    assert found is not None
    assert (found - EPOCH) % timedelta(minutes=7) == timedelta(0)


def test_interval_is_strictly_after() -> None:
    assert every(hours=1).next_after(NOON) == NOON + timedelta(hours=1)
    assert every(hours=1).next_after(NOON - TICK) == NOON


def test_interval_begins_at_its_start() -> None:
    part = IntervalPart(NOON, timedelta(hours=5), NOON, None)
    assert part.next_after(datetime.min.replace(tzinfo=UTC)) == NOON
    assert part.next_after(NOON - TICK) == NOON
    assert part.next_after(NOON) == NOON + timedelta(hours=5)


def test_interval_includes_its_end() -> None:
    part = IntervalPart(NOON, timedelta(hours=5), NOON, NOON + timedelta(hours=10))
    assert part.next_after(NOON + timedelta(hours=9)) == NOON + timedelta(hours=10)
    assert part.next_after(NOON + timedelta(hours=10)) is None
    assert IntervalPart(NOON, timedelta(hours=5), NOON, NOON - TICK).next_after(EPOCH) is None


def test_interval_stops_with_the_calendar() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert every(days=1).next_after(last) is None
    assert every(seconds=1).next_after(last - timedelta(seconds=3)) is not None
    assert every(days=365).next_after(datetime.min.replace(tzinfo=UTC)) is not None


@given(
    st.integers(1_000_000, 10**14),
    st.datetimes(datetime(1900, 1, 1), datetime(2500, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2500, 1, 1)),
)
def test_interval_never_stands_still_nor_leaves_its_grid(step: int, anchor: datetime, at: datetime) -> None:
    anchor, at = anchor.replace(tzinfo=UTC), at.replace(tzinfo=UTC)
    length = timedelta(microseconds=step)
    found = IntervalPart(anchor, length, None, None).next_after(at)
    assert found is not None
    assert at < found <= at + length
    assert (found - anchor) % length == timedelta(0)


def test_date_is_due_once() -> None:
    part = DatePart(NOON, late=False)
    assert part.next_after(NOON - TICK) == NOON
    assert part.next_after(NOON) is None


def test_cron_is_strictly_after_and_whole_seconds() -> None:
    part = cron("* * * * * *")
    assert part.next_after(NOON) == NOON + timedelta(seconds=1)
    assert part.next_after(NOON - TICK) == NOON
    assert part.next_after(NOON + TICK) == NOON + timedelta(seconds=1)


def test_cron_includes_its_bounds() -> None:
    part = cron("0 * * * *", NOON, NOON + timedelta(hours=2))
    assert part.next_after(EPOCH) == NOON
    assert part.next_after(NOON) == NOON + timedelta(hours=1)
    assert part.next_after(NOON + timedelta(hours=2) - TICK) == NOON + timedelta(hours=2)
    assert part.next_after(NOON + timedelta(hours=2)) is None


def test_cron_starts_after_a_fraction_of_a_second() -> None:
    part = cron("* * * * * *", NOON + timedelta(milliseconds=1))
    assert part.next_after(EPOCH) == NOON + timedelta(seconds=1)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_cron_stops_with_the_calendar(zone: str) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    for line in ("* * * * * *", "0 0 1 1 *", "59 23 31 12 *"):
        assert cron(line, zone=zone).next_after(last) is None
    walked = cron("0 0 * * *", zone=zone)
    instant, steps = datetime(9999, 12, 20, tzinfo=UTC), 0
    while (later := walked.next_after(instant)) is not None:
        assert later > instant
        instant, steps = later, steps + 1
    assert 10 <= steps <= 13


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_cron_begins_with_the_calendar(zone: str) -> None:
    found = cron("0 0 * * *", zone=zone).next_after(datetime.min.replace(tzinfo=UTC))
    assert found is not None and found.year == 1


def test_cron_wants_an_instant_with_a_zone() -> None:
    with pytest.raises(TypeError):
        cron("* * * * *").next_after(datetime(2026, 1, 1))


EARLY, LATE = NOON - timedelta(days=1), NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("part", "field", "words"),
    [
        (DatePart(EARLY, late=False), "run_date", "2026-05-31T12:00:00Z has passed"),
        (IntervalPart(EPOCH, timedelta(days=1), None, EARLY), "end_date", "2026-05-31T12:00:00Z has passed"),
        (IntervalPart(LATE, timedelta(days=1), LATE, NOON), "end_date", "lies before start_date"),
        (
            IntervalPart(EPOCH, timedelta(days=9), None, LATE),
            "end_date",
            "nothing falls due before 2026-06-02",
        ),
        (IntervalPart(EPOCH, timedelta(days=9), None, None), "start_date", "calendar ends"),
        (cron("0 0 1 1 *", end=EARLY), "end_date", "has passed"),
        (cron("0 0 1 1 *", end=LATE), "end_date", "nothing falls due"),
        (cron("0 0 1 1 *"), "expression", "no time after 2026-06-01T12:00:00Z matches in this zone"),
    ],
)
def test_why_never_names_the_field(part: DatePart | IntervalPart | CronPart, field: str, words: str) -> None:
    blamed, sentence = part.why_never(NOON)
    assert blamed == field
    assert words in sentence


def test_why_never_mentions_the_policy_where_there_is_one() -> None:
    line = CronWalk(compile_fields(split_expression("30 2 * 3 0L"), None), "Europe/Berlin", DstPolicy.SKIP)
    assert "dst policy" in CronPart(line, None, None).why_never(NOON)[1]
