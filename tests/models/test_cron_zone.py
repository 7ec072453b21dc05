"""Zones: which names are taken, and what a day of a zone's clock looks like."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronzimus.models.cron_zone import (
    DAY,
    EPOCH,
    LAST_SECOND,
    Gap,
    eras_of_day,
    instant_of,
    known_zone,
    zone_names,
    zone_of,
)


def day_of(year: int, month: int, day: int) -> int:
    """The number of a UTC day."""
    return (date(year, month, day) - date(1970, 1, 1)).days


def second_of(*parts: int) -> int:
    """The number of a UTC second."""
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Zulu"]
)
def test_known_zone_takes_the_names_of_the_database(name: str) -> None:
    assert known_zone(name) == name
    assert zone_of(name).key == name


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Europa/Berlin", "did you mean Europe/Berlin?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("utc", "did you mean UTC?"),
        ("Moon/Tranquility", "use an IANA name"),
        ("", "use an IANA name"),
        ("../../etc/passwd", "use an IANA name"),
        ("/etc/localtime", "use an IANA name"),
        ("localtime", "unknown time zone"),
        ("Factory", "unknown time zone"),
        ("posixrules", "unknown time zone"),
        ("Europe", "unknown time zone"),
        ("Europe/", "unknown time zone"),
        ("Europe/Berlin\0", "unknown time zone"),
        ("\ud800", "unknown time zone"),
        ("x" * 10_000, "10000 characters"),
    ],
)
def test_known_zone_refuses_and_names_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone") as caught:
        known_zone(name)
    assert advice in str(caught.value)
    assert len(str(caught.value)) < 200


def test_zone_of_refuses_what_is_no_zone() -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        zone_of("Europe/Berlim")


def test_every_name_is_a_zone() -> None:
    assert len(zone_names()) > 400
    assert all(zone_of(name) for name in zone_names())


def test_plain_day_is_one_era() -> None:
    (era,) = eras_of_day("Europe/Berlin", day_of(2026, 1, 15))
    assert (era.start, era.end, era.offset, era.gap) == (
        second_of(2026, 1, 15),
        second_of(2026, 1, 16),
        3600,
        None,
    )


def test_day_of_a_gap_is_two_eras() -> None:
    before, after = eras_of_day("Europe/Berlin", day_of(2026, 3, 29))
    jump = second_of(2026, 3, 29, 1)
    assert (before.end, after.start) == (jump, jump)
    assert (before.offset, after.offset) == (3600, 7200)
    assert before.gap is None
    assert after.gap == Gap(jump, second_of(2026, 3, 29, 2), second_of(2026, 3, 29, 3))
    assert after.gap.offset_before == 3600


def test_day_of_an_overlap_tells_first_copies_from_second() -> None:
    before, after = eras_of_day("Europe/Berlin", day_of(2026, 10, 25))
    assert before.first_from == second_of(2026, 10, 25, 2)
    assert after.second_until == second_of(2026, 10, 25, 3)
    assert before.gap is None and after.gap is None


def test_neighbours_of_a_jump_know_of_it() -> None:
    (eve,) = eras_of_day("Europe/Berlin", day_of(2026, 10, 24))
    (morrow,) = eras_of_day("Europe/Berlin", day_of(2026, 10, 26))
    assert eve.first_from == second_of(2026, 10, 25, 2)
    assert morrow.second_until == second_of(2026, 10, 25, 3)
    (after_gap,) = eras_of_day("Europe/Berlin", day_of(2026, 3, 30))
    assert after_gap.gap is not None


def test_jump_at_midnight_begins_the_day() -> None:
    (era,) = eras_of_day("Atlantic/Azores", day_of(2026, 3, 29))[:1]
    assert era.start == second_of(2026, 3, 29)
    # Casey moved at 1969-01-01T00:00Z.
    (casey,) = eras_of_day("Antarctica/Casey", day_of(1969, 1, 1))
    assert casey.gap == Gap(casey.start, casey.start, casey.start + 8 * 3600)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(zone_names())), st.integers(day_of(1900, 1, 1), day_of(2200, 1, 1)), st.data())
def test_eras_tell_what_the_zone_tells(zone: str, day: int, data: st.DataObject) -> None:
    eras = eras_of_day(zone, day)
    assert eras[0].start == day * DAY and eras[-1].end == (day + 1) * DAY
    assert [era.end for era in eras[:-1]] == [era.start for era in eras[1:]]
    second = data.draw(st.integers(day * DAY, day * DAY + DAY - 1))
    (era,) = (era for era in eras if era.start <= second < era.end)
    local = (EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))
    assert local.utcoffset() == timedelta(seconds=era.offset)
    assert bool(local.fold) == (second + era.offset < era.second_until)


@pytest.mark.parametrize("day", [day_of(1, 1, 1) - 3, LAST_SECOND // DAY, LAST_SECOND // DAY + 9])
def test_eras_reach_beyond_the_calendar(day: int) -> None:
    eras = eras_of_day("America/New_York", day)
    assert eras[-1].end == (day + 1) * DAY


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-01-01T12:00", "UTC", "2026-01-01T12:00"),
        ("2026-01-01T12:00", "Europe/Berlin", "2026-01-01T11:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00"),  # missing: the end of the gap
        ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T03:30", "Europe/Berlin", "2026-03-29T01:30"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # repeated: the first
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),
        ("2026-03-29T02:30:15.5", "UTC", "2026-03-29T02:30:15.5"),
        ("2026-01-01T12:00+05:30", "Europe/Berlin", "2026-01-01T06:30"),
    ],
)
def test_instant_of_reads_a_wall(wall: str, zone: str, instant: str) -> None:
    expected = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert instant_of(datetime.fromisoformat(wall), zone) == expected


@pytest.mark.parametrize(
    ("wall", "zone", "bound"),
    [
        (datetime.max, "America/New_York", datetime.max),
        (datetime.min, "Asia/Tokyo", datetime.min),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), "UTC", datetime.max),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "UTC", datetime.min),
    ],
)
def test_instant_of_stops_at_the_ends_of_the_calendar(wall: datetime, zone: str, bound: datetime) -> None:
    assert instant_of(wall, zone) == bound.replace(tzinfo=UTC)
