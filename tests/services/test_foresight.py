"""What stays, appears, vanishes and moves: the rule, case by case and for any two schedules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.plan import Move
from cronzimus.services.foresight import Foreseen, expected, foreseen, paired
from tests.heart import definition

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def side(*hours: float, cut: bool = False) -> Foreseen:
    return Foreseen(tuple(at(hour) for hour in hours), cut)


def told(before: Foreseen, after: Foreseen) -> list[tuple[str, float | None, float | None]]:
    def hours(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - START) / timedelta(hours=1)

    return [(move, hours(old), hours(new)) for move, old, new in paired(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (side(), side(), []),
        (side(1, 2), side(1, 2), [("stays", 1, 1), ("stays", 2, 2)]),
        (side(1), side(), [("vanishes", 1, None)]),
        (side(), side(1), [("appears", None, 1)]),
        (side(2, 26), side(3, 27), [("moves", 2, 3), ("moves", 26, 27)]),
        # Today's new time is still to come, today's old one has passed: tomorrow's move to tomorrow's.
        (side(26, 50), side(3, 27, 51), [("appears", None, 3), ("moves", 26, 27), ("moves", 50, 51)]),
        (side(0, 1, 2), side(0, 2), [("stays", 0, 0), ("vanishes", 1, None), ("stays", 2, 2)]),
        # A lone instant may move any distance.
        (side(1), side(900), [("moves", 1, 900)]),
        # An instant moves to one other at most, the nearest.
        (side(10, 20), side(9, 11.5, 20), [("moves", 10, 9), ("appears", None, 11.5), ("stays", 20, 20)]),
        # As far as both were looked at: the hourly list ends earlier than the daily one.
        (
            side(0, 24, 48, cut=True),
            side(0, 1, 2, cut=True),
            [("stays", 0, 0), ("appears", None, 1), ("appears", None, 2)],
        ),
        # A list that was not cut short has ended: what lies behind it appears.
        (side(0, 1), side(0, 1, 2, cut=True), [("stays", 0, 0), ("stays", 1, 1), ("appears", None, 2)]),
    ],
)
def test_the_rule(before: Foreseen, after: Foreseen, found: list[tuple[str, float, float]]) -> None:
    assert told(before, after) == found


HOURS = st.lists(st.integers(0, 100), unique=True, max_size=20).map(sorted)


@given(HOURS, HOURS)
def test_every_instant_is_told_once(before: list[float], after: list[float]) -> None:
    pairs = told(side(*before), side(*after))
    assert sorted(old for _, old, _ in pairs if old is not None) == before
    assert sorted(new for _, _, new in pairs if new is not None) == after
    assert all((old == new) == (move == Move.STAYS) for move, old, new in pairs)


@given(HOURS, HOURS)
def test_the_way_back_is_the_mirror(before: list[float], after: list[float]) -> None:
    there, back = told(side(*before), side(*after)), told(side(*after), side(*before))
    assert [m for m, *_ in there].count("vanishes") == [m for m, *_ in back].count("appears")
    assert [m for m, *_ in there].count("moves") == [m for m, *_ in back].count("moves")


def test_the_next_instants_of_a_job() -> None:
    hourly = definition(trigger={"type": "interval", "hours": 1})
    assert foreseen(hourly, at(1), 2) == side(1, 2, cut=True)
    assert foreseen(hourly, None, 2) == side()
    once = definition(trigger={"type": "date", "run_date": at(1).isoformat()})
    assert foreseen(once, at(1), 2) == side(1)


def test_an_instant_is_told_on_its_own_clock() -> None:
    berlin = definition(trigger={"type": "cron", "expression": "30 2 * * *"}, timezone="Europe/Berlin")
    gap = berlin.schedule.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert gap is not None
    assert expected(berlin, gap).dst == "gap" and expected(berlin, gap).local == "2026-03-29T03:00:00+02:00"
    late = definition(timezone="Pacific/Kiritimati")
    assert expected(late, datetime(9999, 12, 31, 23, tzinfo=UTC)).local.startswith("9999-12-31T23")
