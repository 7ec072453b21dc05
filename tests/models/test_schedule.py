"""Schedules: the union of triggers, its jitter, its words, and how little work an instant takes."""

import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cronzimus.models.cron_zone import eras_of_day
from cronzimus.models.schedule import Schedule, compile_schedule, describe
from cronzimus.models.trigger import Trigger
from tests.models import oracle

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
READER: TypeAdapter[Any] = TypeAdapter(Trigger)


def schedule(*documents: dict[str, Any], job_id: str = "job", zone: str = "UTC") -> Schedule:
    """The schedule of some triggers."""
    return compile_schedule(
        [READER.validate_python(each) for each in documents], job_id=job_id, timezone=zone
    )


def cron(expression: str, **more: Any) -> dict[str, Any]:
    """A cron trigger."""
    return {"type": "cron", "expression": expression, **more}


def interval(**fields: Any) -> dict[str, Any]:
    """An interval trigger."""
    return {"type": "interval", **fields}


def date(run_date: str, **more: Any) -> dict[str, Any]:
    """A date trigger."""
    return {"type": "date", "run_date": run_date, **more}


def said(dues: Any, count: int = 99) -> list[str]:
    """Instants as short text."""
    return [f"{due:%d %H:%M:%S}" for due in islice(dues, count)]


def test_schedule_is_frozen_and_small() -> None:
    job = schedule(cron("0 2 * * 1"))
    with pytest.raises(FrozenInstanceError):
        job.job_id = "other"  # type: ignore[misc]
    assert not hasattr(job, "__dict__")
    other = schedule(cron("0 2 * * 1"), job_id="other")
    assert other.parts[0] is job.parts[0]
    assert sys.getsizeof(job) + sys.getsizeof(job.parts) < 150


def test_schedule_of_equal_triggers_is_equal() -> None:
    assert schedule(interval(seconds=5)) == schedule(interval(seconds=5))
    assert schedule(interval(seconds=5)) != schedule(interval(seconds=5), job_id="other")


def test_next_after_is_strictly_after_and_in_utc() -> None:
    job = schedule(cron("0 14 * * *", timezone="Europe/Berlin"))
    due = job.next_after(NOW - TICK)
    assert due == NOW and due.tzinfo is UTC and due.microsecond == 0
    assert job.next_after(NOW) == NOW + timedelta(days=1)
    assert job.next_after(NOW.astimezone(timezone(timedelta(hours=9)))) == NOW + timedelta(days=1)


def test_next_after_refuses_a_time_without_zone() -> None:
    for document in (cron("* * * * *"), interval(seconds=5), date("2027-01-01")):
        with pytest.raises(TypeError):
            schedule(document).next_after(datetime(2026, 1, 1))


def test_manual_is_never_due() -> None:
    assert schedule({"type": "manual"}).next_after(NOW) is None
    assert list(schedule({"type": "manual"}).between(NOW, NOW + timedelta(days=9))) == []
    assert schedule().next_after(NOW) is None
    assert schedule({"type": "manual"}).delay_of(NOW) == timedelta(0)


def test_between_leaves_out_its_start_and_takes_its_end() -> None:
    job = schedule(interval(hours=1))
    assert said(job.between(NOW, NOW + timedelta(hours=3))) == ["01 13:00:00", "01 14:00:00", "01 15:00:00"]
    assert list(job.between(NOW, NOW)) == []
    assert list(job.between(NOW, NOW - timedelta(hours=3))) == []


def test_union_merges_its_triggers_in_order() -> None:
    job = schedule(cron("0 14 * * *"), interval(hours=3), date("2026-06-01T13:30"), {"type": "manual"})
    assert said(job.between(NOW, NOW + timedelta(hours=6))) == [
        "01 13:30:00",
        "01 14:00:00",
        "01 15:00:00",
        "01 18:00:00",
    ]


def test_union_fires_once_where_triggers_meet() -> None:
    same = schedule(cron("0 * * * *"), cron("*/30 * * * *"), interval(minutes=30), date("2026-06-01T13:00"))
    assert said(same.between(NOW, NOW + timedelta(hours=2))) == [
        "01 12:30:00",
        "01 13:00:00",
        "01 13:30:00",
        "01 14:00:00",
    ]


def test_union_of_zones_meets_in_utc() -> None:
    job = schedule(cron("0 9 * * *", timezone="Europe/Berlin"), cron("0 16 * * *", timezone="Asia/Tokyo"))
    assert said(job.between(NOW, NOW + timedelta(days=2))) == ["02 07:00:00", "03 07:00:00"]


def test_union_goes_on_when_one_trigger_ends() -> None:
    job = schedule(
        date("2026-06-01T13:00"), interval(hours=4, end_date="2026-06-01T17:00"), cron("0 20 * * *")
    )
    assert said(job.between(NOW, NOW + timedelta(days=1, hours=12))) == [
        "01 13:00:00",
        "01 16:00:00",
        "01 20:00:00",
        "02 20:00:00",
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.integers(1, 50).map(lambda n: interval(minutes=n)),
            st.sampled_from(["*/7 * * * *", "0 13,15 * * *", "30 12-18 * * *"]).map(cron),
            st.integers(0, 400).map(lambda n: date((NOW + timedelta(minutes=n)).isoformat())),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_union_is_the_union(documents: list[dict[str, Any]]) -> None:
    end = NOW + timedelta(hours=6)
    each = {due for document in documents for due in schedule(document).between(NOW, end)}
    assert list(schedule(*documents).between(NOW, end)) == sorted(each)


def test_intervals_of_all_replicas_agree() -> None:
    one, other = (schedule(interval(seconds=47), job_id=name) for name in ("one", "other"))
    end = NOW + timedelta(hours=1)
    dues = list(one.between(NOW, end))
    for seconds in (0.001, 13.7, 46, 47, 500):
        late = NOW + timedelta(seconds=seconds)
        assert list(other.between(late, end)) == [due for due in dues if due > late]


def test_interval_is_anchored_in_1970() -> None:
    due = schedule(interval(days=7)).next_after(NOW)
    assert due is not None and (due - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(days=7) == timedelta(0)


def test_interval_is_anchored_at_its_start_date() -> None:
    job = schedule(interval(minutes=45, start_date="2026-06-01T14:10:00", timezone="Europe/Berlin"))
    assert said(job.between(NOW - timedelta(days=1), NOW + timedelta(hours=2))) == [
        "01 12:10:00",
        "01 12:55:00",
        "01 13:40:00",
    ]


def test_interval_keeps_fractions_of_a_second() -> None:
    job = schedule(interval(seconds=1.25, start_date="2026-06-01T12:00:00Z"))
    dues = list(job.between(NOW, NOW + timedelta(seconds=5)))
    assert [(due - NOW).total_seconds() for due in dues] == [1.25, 2.5, 3.75, 5.0]


def test_interval_cares_for_no_change_of_the_clock() -> None:
    job = schedule(interval(hours=6), zone="Europe/Berlin")
    dues = list(job.between(datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)))
    assert {later - first for first, later in pairwise(dues)} == {timedelta(hours=6)}


def test_start_and_end_bound_a_cron_line() -> None:
    job = schedule(cron("0 * * * *", start_date="2026-06-01T14:30:00Z", end_date="2026-06-01T17:00:00Z"))
    assert said(job.between(NOW, NOW + timedelta(days=1))) == ["01 15:00:00", "01 16:00:00", "01 17:00:00"]


def test_first_due_of_a_past_date_that_runs_once() -> None:
    job = schedule(date("2026-01-01T08:00:00", misfire="run_once"))
    past = datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert job.first_due(NOW) == past
    assert job.first_due(past) == past
    assert job.first_due(past - TICK) == past
    assert job.next_after(past) is None
    assert job.runs_late(past) and not job.runs_late(NOW)


def test_first_due_is_else_the_next() -> None:
    assert schedule(date("2026-01-01T08:00:00")).first_due(NOW) is None
    assert not schedule(date("2026-01-01T08:00:00")).runs_late(datetime(2026, 1, 1, 8, tzinfo=UTC))
    assert schedule(date("2027-01-01", misfire="run_once")).first_due(NOW) == datetime(2027, 1, 1, tzinfo=UTC)
    assert schedule(interval(hours=1)).first_due(NOW) == NOW + timedelta(hours=1)
    both = schedule(date("2026-01-01", misfire="run_once"), interval(hours=1))
    assert both.first_due(NOW) == datetime(2026, 1, 1, tzinfo=UTC)


def delays(job: Schedule, count: int = 400) -> list[float]:
    """The delays of the next instants, in seconds."""
    return [
        job.delay_of(due).total_seconds() for due in islice(job.between(NOW, NOW + timedelta(days=99)), count)
    ]


def test_delay_lies_within_the_jitter_and_fills_it() -> None:
    found = delays(schedule(interval(minutes=5, jitter=60)))
    assert all(0 <= delay <= 60 for delay in found)
    assert min(found) < 6 and max(found) > 54
    assert len(set(found)) > 390


def test_delay_is_the_same_on_every_replica() -> None:
    assert delays(schedule(interval(minutes=5, jitter=60))) == delays(
        schedule(interval(minutes=5, jitter=60))
    )
    assert delays(schedule(interval(minutes=5, jitter=60)), 5) != delays(
        schedule(interval(minutes=5, jitter=60), job_id="other"), 5
    )


def test_delay_of_a_known_instant_never_changes() -> None:
    assert schedule(cron("0 * * * *", jitter=60)).delay_of(NOW) == timedelta(seconds=34, microseconds=949071)


def test_delay_does_not_depend_on_how_the_instant_is_written() -> None:
    job = schedule(cron("0 * * * *", jitter=60))
    assert job.delay_of(NOW.astimezone(timezone(timedelta(hours=2)))) == job.delay_of(NOW)


def test_delay_never_moves_the_due_instant() -> None:
    plain, jittered = schedule(cron("*/5 * * * *")), schedule(cron("*/5 * * * *", jitter=60))
    span = (NOW, NOW + timedelta(hours=5))
    assert list(plain.between(*span)) == list(jittered.between(*span))


def test_delay_is_none_without_jitter() -> None:
    assert set(delays(schedule(interval(minutes=5)), 20)) == {0}


def test_delay_where_triggers_meet_is_that_of_the_stricter() -> None:
    job = schedule(cron("0 * * * *"), cron("*/30 * * * *", jitter=60))
    assert job.delay_of(NOW) == timedelta(0)
    assert job.delay_of(NOW + timedelta(minutes=30)) > timedelta(0)
    assert job.delay_of(NOW + timedelta(minutes=10)) == timedelta(0)


def test_compile_refuses_a_zone_that_is_none() -> None:
    with pytest.raises(ValueError, match="did you mean Europe/Berlin"):
        schedule({"type": "manual"}, zone="Europe/Berlim")


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["*", "*/15", "7,38", "10-14"]),
    st.sampled_from(["*", "0", "*/6", "22-23"]),
    st.sampled_from(["*", "1", "L", "15W", "*/9"]),
    st.sampled_from(["*", "1-5", "0", "2#2", "5L"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),
)
def test_any_line_in_utc_agrees_with_the_oracle(
    minute: str, hour: str, day: str, weekday: str, start: datetime
) -> None:
    line = f"{minute} {hour} {day} * {weekday}"
    start = start.replace(second=0, microsecond=0, tzinfo=UTC)
    timeline = oracle.Timeline("UTC", start, start + timedelta(hours=40))
    found = schedule(cron(line)).between(timeline.start - timedelta(seconds=1), timeline.end)
    assert list(found) == oracle.firings(timeline, line)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (interval(seconds=1), "Every second"),
        (interval(seconds=90), "Every 1 minute 30 seconds"),
        (interval(hours=2), "Every 2 hours"),
        (interval(days=1), "Every day"),
        (interval(weeks=1, seconds=1.5), "Every 1 week 1.5 seconds"),
        (cron("0 2 * * 1-5"), "At 02:00 on Monday through Friday"),
        (cron("@daily", timezone="Europe/Berlin"), "At 00:00 every day (Europe/Berlin)"),
        (cron("0 0 L * *"), "At 00:00 on the last day of every month"),
        (cron("0 6 * * FRIL"), "At 06:00 on the last Friday of the month"),
        (
            cron("30 4 15W * *"),
            "When minute is 30, hour is 4, day of month is 15W (W: the workday nearest to that date)",
        ),
        (cron("H 2 * * *"), "When minute is H, hour is 2 (H: a place of its own for each job)"),
        (
            {"type": "cron", "hour": 3, "week": "1-10", "year": 2030},
            "At 03:00 every day, in week 1-10 and year 2030",
        ),
        (date("2026-06-01T09:00", timezone="Asia/Tokyo"), "Once, at 2026-06-01 09:00:00 (Asia/Tokyo)"),
        ({"type": "manual"}, "Only when started by hand or by another job"),
    ],
)
def test_describe_says_it_in_words(document: dict[str, Any], words: str) -> None:
    assert describe(READER.validate_python(document)) == words


def test_describe_knows_where_h_landed() -> None:
    trigger = READER.validate_python(cron("H 2 * * *"))
    assert describe(trigger, job_id="enrich-orders") == "At 02:23 every day"


terms = st.sampled_from(["*", "*/5", "3", "1,2", "1-4", "1-5/2", "5-5/3", "H", "H/3", "H(1-3)"])
day_terms = st.one_of(terms, st.sampled_from(["L", "LW", "15W", "L,1", "LW,3W"]))
weekday_terms = st.one_of(terms, st.sampled_from(["MON-FRI", "FRI-SUN", "5L", "SUNL", "2#2", "TUE#1,3"]))


@settings(deadline=None, max_examples=200)
@given(terms, terms, terms, day_terms, terms, weekday_terms, st.sampled_from([None, "job"]))
def test_describe_has_words_for_every_line(
    second: str, minute: str, hour: str, day: str, month: str, weekday: str, job_id: str | None
) -> None:
    trigger = READER.validate_python(cron(f"{second} {minute} {hour} {day} {month} {weekday}"))
    assert len(describe(trigger, job_id=job_id)) > 10


def calls_of(work: Callable[[], object]) -> int:
    """How many Python calls some work makes: a measure of time that no busy machine can falsify."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (interval(seconds=30), 3),
        (cron("*/5 * * * *"), 12),
        (cron("30 2 * * *"), 40),
        (cron("0 9 * * MON"), 60),
        (cron("0 0 1 1 *"), 60),
    ],
)
def test_next_after_takes_few_steps_once_warm(document: dict[str, Any], most: int) -> None:
    job = schedule(document, zone="Europe/Berlin")
    job.next_after(NOW)
    assert calls_of(lambda: job.next_after(NOW)) <= most


@pytest.mark.parametrize(
    "document",
    [
        cron("0 0 * 2 1#5"),
        cron("0 0 29 2 *"),
        cron("30 2 * 3 0L", dst="skip"),
        cron("59 59 23 31W 12 *", timezone="Pacific/Apia"),
        {"type": "cron", "year": "9999"},
        {"type": "cron", "week": 53, "day_of_week": "sun", "month": 1, "year": "2100-9999/3"},
        {"type": "cron", "year": "2026,2101-9999/2", "month": 2, "day": "29,1"},
        interval(days=3650, start_date="1900-01-01"),
        cron(",".join(f"{n}-59/{n}" for n in range(1, 30)) + " * * * *"),
    ],
)
def test_no_trigger_is_slow_even_when_cold(document: dict[str, Any]) -> None:
    eras_of_day.cache_clear()
    assert calls_of(lambda: schedule(document, zone="Europe/Berlin").next_after(NOW)) < 30_000


def test_walking_a_year_of_minutes_looks_at_each_day_once() -> None:
    eras_of_day.cache_clear()
    job = schedule(cron("*/10 * * * *"), zone="Europe/Berlin")
    assert sum(1 for _ in job.between(NOW, NOW + timedelta(days=365))) == 365 * 144
    assert eras_of_day.cache_info().misses <= 367
