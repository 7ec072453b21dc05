"""The walk itself: how far it goes, and that it ends. What it finds at jumps is shown in test_dst.py."""

from datetime import UTC, datetime, timedelta

import pytest

from cronzimus.models import cron_dst
from cronzimus.models.cron import compile_fields, split_expression
from cronzimus.models.cron_dst import CronWalk, DstPolicy
from cronzimus.models.cron_zone import DAY, EPOCH, Era


def walk(line: str, zone: str = "Europe/Berlin", policy: DstPolicy | None = None) -> CronWalk:
    """The walk of a line."""
    return CronWalk(compile_fields(split_expression(line), None), zone, policy)


def seconds(*parts: int) -> int:
    """The number of a UTC second."""
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)  # type: ignore[misc,arg-type]


@pytest.fixture
def days_seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The days a walk has looked at."""
    seen: list[int] = []

    def noted(zone: str, day: int) -> tuple[Era, ...]:
        seen.append(day)
        return real(zone, day)

    real = cron_dst.eras_of_day
    monkeypatch.setattr(cron_dst, "eras_of_day", noted)
    return seen


def test_walk_includes_the_second_asked_for() -> None:
    due = seconds(2026, 1, 15, 1)
    assert walk("0 2 * * *").at_or_after(due) == due
    assert walk("0 2 * * *").at_or_after(due + 1) == due + DAY


def test_walk_looks_at_few_days(days_seen: list[int]) -> None:
    assert walk("0 2 * * *").at_or_after(seconds(2026, 1, 15)) == seconds(2026, 1, 15, 1)
    assert len(days_seen) == 1
    assert walk("0 0 1 1 *").at_or_after(seconds(2026, 1, 15)) == seconds(2026, 12, 31, 23)
    assert len(days_seen) <= 4


def test_walk_jumps_over_decades(days_seen: list[int]) -> None:
    found = walk("0 0 * 2 1#5", "UTC").at_or_after(seconds(2026, 1, 1))
    assert found == seconds(2044, 2, 29)
    assert len(days_seen) <= 4


@pytest.mark.parametrize(
    ("line", "policy"),
    [("30 2 * 3 0L", DstPolicy.SKIP), ("*/30 2 * 3 0L", None), ("* 2 * 3 7L", DstPolicy.SKIP)],
)
def test_walk_gives_up_where_every_time_lies_in_a_gap(
    line: str, policy: DstPolicy | None, days_seen: list[int]
) -> None:
    assert walk(line, policy=policy).at_or_after(seconds(2026, 1, 1)) is None
    assert len(days_seen) <= 200
    assert max(days_seen) - min(days_seen) > 50 * 365


def test_walk_finds_what_is_only_mostly_swallowed() -> None:
    # The 29th of March is the day of the change in 2026 and 2037 only.
    found = walk("30 2 29 3 *", policy=DstPolicy.SKIP).at_or_after(seconds(2026, 1, 1))
    assert found == seconds(2027, 3, 29, 0, 30)


def test_walk_ends_with_the_calendar() -> None:
    assert walk("0 0 1 1 *", "UTC").at_or_after(seconds(9999, 1, 2)) is None


def test_stands_for_missing_knows_the_moved() -> None:
    jump = seconds(2026, 3, 29, 1)
    assert walk("30 2 * * *").stands_for_missing(jump)
    assert not walk("0 3 * * *").stands_for_missing(jump)
    assert not walk("0 2,3 * * *").stands_for_missing(jump)
    assert walk("30 2 * * *", policy=DstPolicy.SHIFT).stands_for_missing(jump + 1800)
    assert not walk("30 2 * * *").stands_for_missing(seconds(2026, 3, 28, 1, 30))


def test_policy_documents_itself() -> None:
    rows = [line for line in (DstPolicy.__doc__ or "").splitlines() if line.strip().startswith("| `")]
    told = {row.split("`")[1] for row in rows[1:]}
    assert told == {str(policy) for policy in DstPolicy}


def test_policy_is_covered_without_exception() -> None:
    for policy in DstPolicy:
        assert walk("30 2 * * *", policy=policy).at_or_after(seconds(2026, 3, 28, 12)) is not None
