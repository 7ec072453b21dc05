"""What cron lines do where a zone's clock jumps: facts, a brute-force oracle, and every zone there is."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronzimus.models.cron_dst import DstPolicy
from cronzimus.models.schedule import Schedule, compile_schedule, dst_mark
from cronzimus.models.trigger import CronTrigger
from tests.models import oracle

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns")
POLICIES = (None, *DstPolicy)
LINES = (
    "30 2 * * *",
    "30 1 * * *",
    "15,45 1-2 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "*/15 2 * * *",
    "*/15 * * * *",
    "30 * * * *",
    "15 */2 * * *",
    "0-59/20 0-3 * * *",
    "0 3 * * *",
    "* * * * *",
    "5 1 * * SUN",
    "0 30 2 * * 0-3",
    "10 0-23 * * *",
)
ODDITIES = (
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Pacific/Kwajalein", datetime(1993, 8, 21, 12, tzinfo=UTC)),
    ("America/Caracas", datetime(2007, 12, 9, 7, tzinfo=UTC)),
    ("America/Caracas", datetime(2016, 5, 1, 7, tzinfo=UTC)),
    ("Asia/Pyongyang", datetime(2015, 8, 14, 15, tzinfo=UTC)),
    ("Asia/Pyongyang", datetime(2018, 5, 4, 15, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 3, 22, 2, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 4, 4, 14, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 9, 26, 14, tzinfo=UTC)),
    ("Europe/Dublin", datetime(1971, 10, 31, 2, tzinfo=UTC)),
    ("Europe/Dublin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Dublin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Africa/Freetown", datetime(1939, 9, 5, 0, tzinfo=UTC)),
    ("Antarctica/Casey", datetime(1969, 1, 1, 0, tzinfo=UTC)),
    ("Antarctica/Casey", datetime(2018, 3, 10, 17, tzinfo=UTC)),
    ("Antarctica/Casey", datetime(2018, 10, 6, 20, tzinfo=UTC)),  # three hours, not more
    ("America/Scoresbysund", datetime(2025, 3, 30, 1, tzinfo=UTC)),
)


def schedule(line: str, zone: str, policy: str | None = None) -> Schedule:
    """The schedule of one cron line."""
    trigger = CronTrigger(expression=line, timezone=zone, dst=policy)
    return compile_schedule([trigger], job_id="job", timezone="UTC")


def fired(line: str, timeline: oracle.Timeline, policy: str | None = None) -> list[datetime]:
    """What the schedule says about the window of a timeline, its edges included."""
    before = timeline.start - timedelta(seconds=1)
    return list(schedule(line, timeline.zone, policy).between(before, timeline.end))


def wall_times(line: str, zone: str, first: str, last: str, policy: str | None = None) -> list[str]:
    """The firings between two local midnights as `HH:MM`, with ' behind a second copy."""
    clock = ZoneInfo(zone)
    start, end = (datetime.fromisoformat(day).replace(tzinfo=clock).astimezone(UTC) for day in (first, last))
    dues = schedule(line, zone, policy).between(start - timedelta(seconds=1), end - timedelta(seconds=1))
    walls = [due.astimezone(clock) for due in dues]
    return [f"{wall:%H:%M}{chr(39) if wall.fold else ''}" for wall in walls]


BERLIN_SPRING = ("Europe/Berlin", "2026-03-29", "2026-03-30")
BERLIN_AUTUMN = ("Europe/Berlin", "2026-10-25", "2026-10-26")
NEW_YORK_SPRING = ("America/New_York", "2026-03-08", "2026-03-09")
NEW_YORK_AUTUMN = ("America/New_York", "2026-11-01", "2026-11-02")
LORD_HOWE_SPRING = ("Australia/Lord_Howe", "2026-10-04", "2026-10-05")
LORD_HOWE_AUTUMN = ("Australia/Lord_Howe", "2026-04-05", "2026-04-06")
CAIRO_SPRING = ("Africa/Cairo", "2026-04-24", "2026-04-25")


# What Debian's cron did when it was really run over these days.
@pytest.mark.parametrize(
    ("line", "day", "expected"),
    [
        ("30 2 * * *", BERLIN_SPRING, ["03:00"]),
        ("30 2 * * *", NEW_YORK_SPRING, ["03:00"]),
        ("*/15 2 * * *", BERLIN_SPRING, []),
        ("*/15 2 * * *", NEW_YORK_SPRING, []),
        ("30 2 * * *", BERLIN_AUTUMN, ["02:30"]),
        ("30 1 * * *", NEW_YORK_AUTUMN, ["01:30"]),
        ("15 2 * * *", LORD_HOWE_SPRING, ["02:30"]),
        ("*/15 2 * * *", LORD_HOWE_SPRING, ["02:30", "02:45"]),
        ("45 1 * * *", LORD_HOWE_AUTUMN, ["01:45"]),
        ("*/15 2 * * *", LORD_HOWE_AUTUMN, ["02:00", "02:15", "02:30", "02:45"]),
        ("0 2,3 * * *", BERLIN_SPRING, ["03:00"]),
        ("15,30,45 2 * * *", BERLIN_SPRING, ["03:00"]),
        ("59 1 * * *", BERLIN_SPRING, ["01:59"]),
        ("0 2 * * *", BERLIN_AUTUMN, ["02:00"]),
    ],
)
def test_default_rule_is_that_of_debian(line: str, day: tuple[str, str, str], expected: list[str]) -> None:
    assert wall_times(line, *day) == expected


def test_default_rule_moves_midnight_in_cairo() -> None:
    # The clock goes from 00:00 to 01:00, so the day begins at 01:00.
    due = schedule("0 0 * * *", "Africa/Cairo").next_after(datetime(2026, 4, 23, 12, tzinfo=UTC))
    assert due == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert due.astimezone(ZoneInfo("Africa/Cairo")).isoformat() == "2026-04-24T01:00:00+03:00"


@pytest.mark.parametrize(
    ("line", "day", "count"),
    [
        ("*/15 * * * *", BERLIN_AUTUMN, 100),
        ("*/15 * * * *", BERLIN_SPRING, 92),
        ("30 * * * *", BERLIN_AUTUMN, 25),
        ("30 * * * *", BERLIN_SPRING, 23),
        ("30 * * * *", LORD_HOWE_SPRING, 24),
    ],
)
def test_starred_lines_follow_the_wall(line: str, day: tuple[str, str, str], count: int) -> None:
    assert len(wall_times(line, *day)) == count


def test_starred_lines_fire_in_both_copies() -> None:
    assert wall_times("30 * * * *", *BERLIN_AUTUMN)[1:5] == ["01:30", "02:30", "02:30'", "03:30"]
    assert wall_times("15 */2 * * *", *BERLIN_AUTUMN)[:4] == ["00:15", "02:15", "02:15'", "04:15"]
    assert wall_times("*/30 2 * * *", *BERLIN_AUTUMN) == ["02:00", "02:30", "02:00'", "02:30'"]


# 2026-03-29 01:00Z is 03:00 summer time; on 2026-10-25 02:30 is 00:30Z and again 01:30Z.
@pytest.mark.parametrize(
    ("policy", "spring", "autumn"),
    [
        (None, ["03-29 01:00"], ["10-25 00:30"]),
        ("skip", [], ["10-25 00:30"]),
        ("shift", ["03-29 01:30"], ["10-25 00:30"]),
        ("first", ["03-29 01:00"], ["10-25 00:30"]),
        ("second", ["03-29 01:00"], ["10-25 01:30"]),
        ("both", ["03-29 01:00"], ["10-25 00:30", "10-25 01:30"]),
    ],
)
def test_policies_do_what_the_table_says(policy: str | None, spring: list[str], autumn: list[str]) -> None:
    job = schedule("30 2 * * *", "Europe/Berlin", policy)
    for first, expected in (
        (datetime(2026, 3, 29, tzinfo=UTC), spring),
        (datetime(2026, 10, 25, tzinfo=UTC), autumn),
    ):
        dues = job.between(first, first + timedelta(hours=20))
        assert [f"{due:%m-%d %H:%M}" for due in dues] == expected


def test_policy_overrides_the_star() -> None:
    autumn = datetime(2026, 10, 24, 23, 59, tzinfo=UTC)
    dues = schedule("*/30 * * * *", "Europe/Berlin", "skip").between(
        autumn, autumn + timedelta(hours=2, minutes=5)
    )
    assert [f"{due:%H:%M}" for due in dues] == ["00:00", "00:30", "02:00"]


def test_instants_that_meet_fire_once() -> None:
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    shifted = schedule("0,30 2,3 * * *", "Europe/Berlin", "shift").between(
        spring, spring + timedelta(hours=3)
    )
    assert [f"{due:%H:%M}" for due in shifted] == ["01:00", "01:30"]
    ended = schedule("0,30 2,3 * * *", "Europe/Berlin", "first").between(spring, spring + timedelta(hours=3))
    assert [f"{due:%H:%M}" for due in ended] == ["01:00", "01:30"]


# The transitions of 2026 and 2027 in the five zones.
CELLS = [(zone, jump) for zone in ZONES for jump in oracle.jumps(zone, 2026, 2027)]


def test_cells_are_all_there() -> None:
    assert len(CELLS) == 4 * len(ZONES)


@pytest.mark.parametrize(("zone", "jump"), CELLS, ids=lambda part: str(part)[:16])
@pytest.mark.parametrize("policy", POLICIES)
def test_policy_agrees_with_the_oracle(zone: str, jump: datetime, policy: str | None) -> None:
    timeline = oracle.around(zone, jump)
    for line in LINES:
        assert fired(line, timeline, policy) == oracle.firings(timeline, line, policy), line


@pytest.mark.parametrize(("zone", "jump"), ODDITIES, ids=lambda part: str(part)[:16])
@pytest.mark.parametrize("policy", POLICIES)
def test_policy_agrees_with_the_oracle_in_history(zone: str, jump: datetime, policy: str | None) -> None:
    timeline = oracle.around(zone, jump, 52)
    assert len({due.astimezone(ZoneInfo(zone)).utcoffset() for due in (timeline.start, timeline.end)}) == 2
    for line in LINES:
        # A window that long cannot show where times of its first day were moved from or to.
        margin = timedelta(hours=25)
        expected = [due for due in oracle.firings(timeline, line, policy) if abs(due - jump) <= margin]
        assert [due for due in fired(line, timeline, policy) if abs(due - jump) <= margin] == expected, line


def test_corrected_clock_swallows_a_day_by_default() -> None:
    around = (datetime(2011, 12, 29, 12, tzinfo=UTC), datetime(2012, 1, 1, 0, tzinfo=UTC))
    clock = ZoneInfo("Pacific/Apia")
    days = [due.astimezone(clock).date() for due in schedule("30 2 * * *", "Pacific/Apia").between(*around)]
    assert days == [date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]
    named = list(schedule("30 2 * * *", "Pacific/Apia", "first").between(*around))
    assert [due.isoformat() for due in named[1:2]] == ["2011-12-30T10:00:00+00:00"]


def test_every_jump_of_every_zone_agrees_with_the_oracle() -> None:
    wrong, seen = [], 0
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        for jump in oracle.jumps(zone, 2026, 2026):
            timeline = oracle.Timeline(zone, jump - timedelta(hours=5), jump + timedelta(hours=5))
            seen += 1
            for line in ("30 2 * * *", "*/20 * * * *", "15 0,1,2,3,23 * * *"):
                if fired(line, timeline) != oracle.firings(timeline, line):
                    wrong.append((zone, jump, line))
    assert wrong == []
    assert seen > 300


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Asia/Kathmandu", "America/St_Johns", "Pacific/Honolulu", "Etc/GMT+12"]
)
@pytest.mark.parametrize("time", ["5 0", "0 12", "55 23"])
@pytest.mark.parametrize("days", ["* * MON", "15W * *", "L 2 *", "29 2 *", "* 2 1#5"])
def test_rare_line_misses_no_day_however_far_the_zone(zone: str, time: str, days: str) -> None:
    first, last = date(2026, 1, 2), date(2030, 12, 30)
    minute, hour = map(int, time.split())
    walls = [
        datetime(day.year, day.month, day.day, hour, minute)
        for day in oracle.days_between(first, last, *days.split())
    ]
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        for day in (first, last + timedelta(days=1))
    )
    dues = schedule(f"{time} {days}", zone).between(start - timedelta(seconds=1), end - timedelta(seconds=1))
    assert list(dues) == [wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for wall in walls]


@pytest.mark.parametrize("line", ["30 2 * * *", "0 0 * * *"])
def test_daily_line_fires_once_a_day_in_every_zone(line: str) -> None:
    first, last = date(2026, 1, 2), date(2027, 12, 30)
    days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    start, end = datetime(2025, 12, 31, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    wrong = {}
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        clock = ZoneInfo(zone)
        counts = Counter(due.astimezone(clock).date() for due in schedule(line, zone).between(start, end))
        odd = {day: counts[day] for day in days if counts[day] != 1}
        if odd:
            wrong[zone] = odd
    assert wrong == {}


number = st.integers(0, 59)
minutes = st.one_of(
    st.just("*"),
    number.map(str),
    st.integers(1, 40).map(lambda step: f"*/{step}"),
    st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}"),
    st.lists(number, min_size=1, max_size=4).map(lambda few: ",".join(map(str, few))),
)
hours = st.one_of(
    st.just("*"),
    st.integers(0, 4).map(str),
    st.integers(1, 6).map(lambda step: f"*/{step}"),
    st.tuples(st.integers(0, 4), st.integers(5, 23)).map(lambda ends: f"{ends[0]}-{ends[1]}"),
    st.lists(st.integers(0, 23), min_size=1, max_size=4).map(lambda few: ",".join(map(str, few))),
)
jump_of_a_zone = st.sampled_from(CELLS)


@settings(deadline=None, max_examples=120)
@given(minutes, hours, jump_of_a_zone, st.sampled_from(POLICIES))
def test_any_line_agrees_with_the_oracle(
    minute: str, hour: str, place: tuple[str, datetime], policy: str | None
) -> None:
    timeline = oracle.around(*place)
    line = f"{minute} {hour} * * *"
    assert fired(line, timeline, policy) == oracle.firings(timeline, line, policy)


@settings(deadline=None, max_examples=60)
@given(
    minutes, hours, st.sampled_from(["0", "*/20", "5-50/15", "59"]), jump_of_a_zone, st.sampled_from(POLICIES)
)
def test_any_line_with_seconds_agrees_with_the_oracle(
    minute: str, hour: str, second: str, place: tuple[str, datetime], policy: str | None
) -> None:
    zone, jump = place
    around = timedelta(minutes=75)
    timeline = oracle.Timeline(zone, jump - around, jump + around, timedelta(seconds=1))
    line = f"{second} {minute} {hour} * * *"
    assert fired(line, timeline, policy) == oracle.firings(timeline, line, policy)


@settings(deadline=None, max_examples=150)
@given(minutes, hours, st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})), st.data())
def test_next_after_never_stands_still(minute: str, hour: str, zone: str, data: st.DataObject) -> None:
    job = schedule(f"{minute} {hour} * * *", zone, data.draw(st.sampled_from(POLICIES)))
    instant = datetime(1890, 1, 1, tzinfo=UTC) + timedelta(
        seconds=data.draw(st.integers(0, 150 * 366 * 86_400))
    )
    for _ in range(8):
        later = job.next_after(instant)
        assert later is not None and later > instant
        between = instant + (later - instant) * data.draw(st.floats(0, 0.999))
        assert job.next_after(between) == later
        instant = later


@pytest.mark.parametrize(
    ("instant", "mark"),
    [
        ("2026-03-29T00:59:59", None),
        ("2026-03-29T01:00:00", "gap"),
        ("2026-03-29T01:00:01", None),
        ("2026-10-24T23:59:59", None),
        ("2026-10-25T00:00:00", "repeated, first"),
        ("2026-10-25T00:59:59", "repeated, first"),
        ("2026-10-25T01:00:00", "repeated, second"),
        ("2026-10-25T01:59:59", "repeated, second"),
        ("2026-10-25T02:00:00", None),
    ],
)
def test_dst_mark_names_the_odd_instants(instant: str, mark: str | None) -> None:
    assert dst_mark(datetime.fromisoformat(instant).replace(tzinfo=UTC), "Europe/Berlin") == mark


def test_dst_mark_sees_nothing_in_utc() -> None:
    assert dst_mark(datetime(2026, 3, 29, 1, tzinfo=UTC), "UTC") is None


@pytest.mark.parametrize(
    ("line", "policy", "instant", "mark"),
    [
        ("30 2 * * *", None, datetime(2026, 3, 29, 1, tzinfo=UTC), "gap"),
        ("30 2 * * *", "shift", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "gap"),
        ("0 3 * * *", None, datetime(2026, 3, 29, 1, tzinfo=UTC), None),
        ("0 * * * *", None, datetime(2026, 3, 29, 1, tzinfo=UTC), None),
        ("0 * * * *", None, datetime(2026, 10, 25, 1, tzinfo=UTC), "repeated, second"),
        ("30 2 * * *", None, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "repeated, first"),
    ],
)
def test_mark_of_tells_a_moved_firing_from_its_neighbour(
    line: str, policy: str | None, instant: datetime, mark: str | None
) -> None:
    job = schedule(line, "Europe/Berlin", policy)
    assert job.next_after(instant - timedelta(seconds=1)) == instant
    assert job.mark_of(instant) == mark


PAGE = (Path(__file__).parents[2] / "docs" / "time.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the page's table that begins with these words, each as its cells without backticks."""
    table = PAGE.partition(heading)[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in row.strip(" |").split(" | ")] for row in table.splitlines()[2:]]


def test_page_shows_the_table_of_the_policies() -> None:
    told = [line.strip() for line in (DstPolicy.__doc__ or "").splitlines() if line.strip().startswith("|")]
    assert len(told) == 8
    assert "\n".join(told) in PAGE


EXAMPLES = rows("| line | zone |")


def test_page_has_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("example", EXAMPLES, ids=" ".join)
def test_page_tells_the_truth(example: list[str]) -> None:
    line, zone, policy, day, expected = example
    tomorrow = date.fromisoformat(day) + timedelta(days=1)
    found = wall_times(line, zone, day, tomorrow.isoformat(), None if policy == "(none)" else policy)
    assert (" ".join(found) or "never") == expected
