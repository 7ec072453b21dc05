"""The moment of a run and its data interval: one rule, on every schedule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.occasion import asked_at, interval_at, occasion_of, previous_due
from cronzimus.models.schedule import Schedule
from cronzimus.utils.ids import new_id
from tests.heart import definition


def schedule(*triggers: dict[str, Any], timezone: str = "UTC") -> Schedule:
    """The schedule of these triggers."""
    return definition(trigger=list(triggers), timezone=timezone).schedule


def cron(expression: str) -> dict[str, Any]:
    """A cron trigger."""
    return {"type": "cron", "expression": expression}


def at(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


DAILY = schedule(cron("0 2 * * *"))


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-03-02T02:00:00Z", "2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z"),
        ("2026-03-02T01:59:59Z", "2026-02-28T02:00:00Z", "2026-03-01T02:00:00Z"),
        ("2026-03-02T23:00:00Z", "2026-03-01T02:00:00Z", "2026-03-02T02:00:00Z"),
    ],
)
def test_interval_ends_at_the_last_due_instant(moment: str, start: str, end: str) -> None:
    assert interval_at(DAILY, at(moment)) == (at(start), at(end))


def test_interval_follows_the_clock_of_the_zone() -> None:
    berlin = schedule(cron("0 2 * * *"), timezone="Europe/Berlin")
    start, end = interval_at(berlin, at("2026-03-30T12:00:00Z"))
    # On the 29th 02:00 does not exist and 03:00 stands for it: 01:00 UTC, then 00:00 UTC on the 30th.
    assert (start, end) == (at("2026-03-29T01:00:00Z"), at("2026-03-30T00:00:00Z"))


def test_interval_of_several_triggers_is_the_time_between_any_two() -> None:
    both = schedule(cron("0 2 * * *"), cron("0 14 * * *"))
    assert interval_at(both, at("2026-03-02T14:00:00Z")) == (
        at("2026-03-02T02:00:00Z"),
        at("2026-03-02T14:00:00Z"),
    )


def test_without_an_earlier_instant_the_interval_is_empty() -> None:
    first = schedule({"type": "interval", "hours": 1, "start_date": "2026-03-01T00:00:00Z"})
    moment = at("2026-03-01T00:00:00Z")
    assert interval_at(first, moment) == (moment, moment)
    by_hand = schedule({"type": "manual"})
    assert interval_at(by_hand, moment) == (moment, moment)


@pytest.mark.parametrize(
    ("expression", "before", "found"),
    [
        ("0 0 29 2 *", "2027-06-01T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("* * 1 1 *", "2026-12-31T00:00:00Z", "2026-01-01T23:59:00Z"),
        ("*/5 9-10 * * 1-5", "2026-11-22T12:00:00Z", "2026-11-20T10:55:00Z"),
        ("* * * * * *", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"),
        ("0 2 * * *", "2026-03-02T02:00:00Z", "2026-03-01T02:00:00Z"),
    ],
)
def test_previous_due_looks_back_as_far_as_needed(expression: str, before: str, found: str) -> None:
    assert previous_due(schedule(cron(expression)), at(before)) == at(found)


def test_previous_due_gives_up_after_ten_years() -> None:
    once = schedule({"type": "date", "run_date": "2001-01-01T00:00:00Z"})
    assert previous_due(once, at("2026-01-01T00:00:00Z")) is None
    assert previous_due(once, at("2005-01-01T00:00:00Z")) == at("2001-01-01T00:00:00Z")
    assert previous_due(DAILY, at("1970-01-01T00:00:00Z")) is None


@given(
    st.sampled_from(
        ["*/7 * * * *", "0 2 * * *", "15 8-18/3 * * 1-5", "0 0 1 * *", "30 1 * * *", "*/20 * * * * *"]
    ),
    st.datetimes(datetime(2019, 1, 1), datetime(2031, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_previous_due_is_the_last_of_all_that_come_before(
    expression: str, naive: datetime, zone: str
) -> None:
    line, before = schedule(cron(expression), timezone=zone), naive.replace(tzinfo=UTC)
    found = previous_due(line, before)
    assert found is not None and found < before
    following = line.next_after(found)
    assert following is not None and following >= before
    assert line.next_after(found - timedelta(microseconds=1)) == found


def test_occasion_holds_the_facts() -> None:
    moment = at("2026-03-02T02:00:00Z")
    found = occasion_of(DAILY, moment, run_id="r", job_id="a", previous_success_at=moment)
    assert (found.run_id, found.job_id, found.due_at, found.previous_success_at) == ("r", "a", moment, moment)
    assert (found.data_interval_start, found.data_interval_end) == (at("2026-03-01T02:00:00Z"), moment)


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    assert timedelta(milliseconds=-1) <= asked_at(new_id()) - before < timedelta(seconds=5)
