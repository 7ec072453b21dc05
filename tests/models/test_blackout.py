"""Windows in which nothing fires: once, every week, across midnight and across a changed clock."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from cronzimus.models.blackout import Blackout, HouseBlackout, closure

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def window(**fields: Any) -> Blackout:
    return Blackout.model_validate(fields)


def test_once_holds_from_its_first_instant_to_before_its_last() -> None:
    once = window(**{"from": "2026-12-20T00:00", "to": "2027-01-02T06:00"})
    ends = at("2027-01-02T06:00")
    assert once.end_of(at("2026-12-20T00:00"), BERLIN) == ends
    assert once.end_of(at("2027-01-02T05:59:59"), BERLIN) == ends
    assert once.end_of(at("2026-12-19T23:59:59"), BERLIN) is None
    assert once.end_of(ends, BERLIN) is None


def test_an_offset_or_a_zone_of_its_own_wins_over_that_of_the_job() -> None:
    named = window(**{"from": "2026-12-20T00:00Z", "to": "2026-12-21T00:00Z"})
    assert named.end_of(at("2026-12-20T00:30"), BERLIN) is None
    tokyo = window(start="09:00", end="17:00", timezone="Asia/Tokyo")
    assert tokyo.end_of(at("2026-12-01T09:00", "Asia/Tokyo"), BERLIN) == at("2026-12-01T17:00", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-11-20T21:59", None),  # Friday
        ("2026-11-20T22:00", "2026-11-21T06:00"),
        ("2026-11-21T05:59", "2026-11-21T06:00"),
        ("2026-11-21T06:00", None),
        ("2026-11-21T22:00", None),  # a window of Saturday is not named
        ("2026-11-22T03:00", None),
    ],
)
def test_weekly_window_over_midnight_belongs_to_the_day_it_begins(moment: str, ends: str | None) -> None:
    nightly = window(days=["fri"], start="22:00", end="06:00")
    assert nightly.end_of(at(moment), BERLIN) == (ends and at(ends))


def test_same_start_and_end_is_a_whole_day() -> None:
    sunday = window(days=["sun"], start="00:00", end="00:00")
    assert sunday.end_of(at("2026-11-22T13:00"), BERLIN) == at("2026-11-23T00:00")
    assert sunday.end_of(at("2026-11-23T00:00"), BERLIN) is None


def test_window_ends_at_the_end_of_a_gap_in_the_clock() -> None:
    night = window(start="01:00", end="02:30")
    assert night.end_of(at("2026-03-29T01:30"), BERLIN) == at("2026-03-29T03:00")


def test_to_skip_is_stronger_than_to_hold() -> None:
    hold = window(start="22:00", end="06:00", policy="hold")
    skip = window(start="23:00", end="01:00")
    found = closure([hold, skip], at("2026-11-20T23:30"), BERLIN)
    assert found is not None and found.skips and found.window is skip
    found = closure([hold, skip], at("2026-11-20T22:30"), BERLIN)
    assert found is not None and not found.skips and found.ends == at("2026-11-21T06:00")
    assert closure([hold, skip], at("2026-11-20T12:00"), BERLIN) is None


def test_holds_that_follow_each_other_are_one() -> None:
    windows = [
        window(start="22:00", end="06:00", policy="hold"),
        window(start="05:00", end="08:00", policy="hold"),
        window(start="08:00", end="09:00", policy="hold"),
    ]
    found = closure(windows, at("2026-11-20T23:30"), BERLIN)
    assert found is not None and found.ends == at("2026-11-21T09:00")


def test_a_hold_without_end_is_given_up_in_bounded_time() -> None:
    found = closure([window(start="00:00", end="00:00", policy="hold")], at("2026-11-20T23:30"), BERLIN)
    assert found is not None and found.ends > at("2026-12-20T00:00")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give from and to"),
        ({"from": "2026-01-01", "start": "22:00", "end": "06:00", "to": "2026-01-02"}, "give from and to"),
        ({"from": "2026-01-01"}, "needs both from and to"),
        ({"days": ["mon"]}, "needs both start and end"),
        ({"start": "22:00"}, "needs both start and end"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "to must lie after from"),
        ({"start": "22:00+01:00", "end": "06:00"}, "without an offset"),
        ({"start": "25:00", "end": "06:00"}, "valid time"),
        ({"start": "22:00", "end": "06:00", "policy": "wait"}, "Input should be"),
    ],
)
def test_what_no_window_can_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        window(**fields)


def test_blackout_of_the_house_concerns_jobs_by_tag_or_id() -> None:
    freeze = {"id": "freeze", "from": "2026-12-20", "to": "2027-01-02"}
    everyone = HouseBlackout.model_validate(freeze)
    some = HouseBlackout.model_validate({**freeze, "tags": ["db"], "jobs": ["nightly"]})
    assert everyone.concerns("any", ())
    assert some.concerns("nightly", ()) and some.concerns("other", ("x", "db"))
    assert not some.concerns("other", ("x",))
    assert everyone.document()["from"].startswith("2026-12-20") and everyone.timezone == "UTC"


def test_names_tell_which_blackout_it_was() -> None:
    assert window(start="22:00", end="06:00", reason="backups").name() == "the blackout 'backups'"
    assert window(start="22:00", end="06:00").name() == "a blackout"
    freeze = {"id": "freeze", "from": "2026-12-20", "to": "2027-01-02", "reason": "year's end"}
    assert HouseBlackout.model_validate(freeze).name() == "the blackout freeze (year's end)"
