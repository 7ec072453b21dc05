"""Every decision as a table: what is due, what is open, what the policy says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobStatus
from cronzimus.services.decide import MAX_WALK, Decided, plan, settle
from tests.heart import definition

NOW = datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)
DUE = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def decide(
    late: float = 0, open_runs: int = 0, status: JobStatus = JobStatus.ACTIVE, **policy: Any
) -> list[Decided]:
    """The decisions for a job of every second whose first undecided instant is `late` seconds old."""
    made = plan(definition(policy=policy), 1, status, DUE - timedelta(seconds=late), NOW, open_runs)
    assert made.next_due_at == DUE + timedelta(seconds=1)
    return list(made.decided)


def fates(rows: list[Decided]) -> list[str]:
    return [f"{row.decision}:{row.reason}" if row.reason else str(row.decision) for row in rows]


def test_instant_on_time_fires_with_a_run_of_its_own() -> None:
    (row,) = decide()
    assert (
        row.decision is Decision.FIRED
        and row.due_at == DUE
        and row.run_id is not None
        and row.not_before is None
    )


def test_next_instant_follows_the_due_one_never_the_clock() -> None:
    made = plan(definition(trigger={"type": "interval", "seconds": 7}), 1, JobStatus.ACTIVE, DUE, NOW, 0)
    assert made.next_due_at is not None and (made.next_due_at - DUE).total_seconds() <= 7
    assert made.next_due_at.timestamp() % 7 == 0


@pytest.mark.parametrize(
    ("late", "policy", "expected"),
    [
        (2, {}, ["coalesced:catch_up", "coalesced:catch_up", "fired"]),
        (2, {"catch_up": "all"}, ["fired", "fired", "fired"]),
        (
            3,
            {"catch_up": "all", "catch_up_cap": 2},
            ["coalesced:catch_up", "coalesced:catch_up", "fired", "fired"],
        ),
        (2, {"misfire_grace": 1.0}, ["missed:misfire", "missed:misfire", "fired"]),
        (2, {"misfire_grace": 0.0}, ["missed:misfire"] * 3),
        (7, {"catch_up": "none"}, ["missed:misfire"] * 3 + ["coalesced:catch_up"] * 4 + ["fired"]),
    ],
)
def test_missed_instants_are_decided_by_policy(
    late: float, policy: dict[str, Any], expected: list[str]
) -> None:
    assert fates(decide(late, **policy)) == expected


@pytest.mark.parametrize(
    ("open_runs", "policy", "expected"),
    [
        (0, {"overlap": "skip"}, ["fired"]),
        (1, {"overlap": "skip"}, ["skipped:overlap"]),
        (1, {"overlap": "skip", "max_instances": 2}, ["fired"]),
        (2, {"overlap": "skip", "max_instances": 2}, ["skipped:overlap"]),
        (5, {"overlap": "allow"}, ["fired"]),
        (1, {"overlap": "queue"}, ["fired"]),
        (3, {"overlap": "queue", "max_queued": 2}, ["skipped:overlap"]),
        (2, {"overlap": "queue", "max_queued": 2}, ["fired"]),
        (1, {"overlap": "replace"}, ["fired"]),
    ],
)
def test_overlap_is_decided_by_policy(open_runs: int, policy: dict[str, Any], expected: list[str]) -> None:
    assert fates(decide(open_runs=open_runs, **policy)) == expected


@pytest.mark.parametrize(
    ("open_runs", "overlap", "replaces"), [(1, "replace", True), (0, "replace", False), (1, "skip", False)]
)
def test_only_replace_with_something_open_replaces(open_runs: int, overlap: str, replaces: bool) -> None:
    made = plan(definition(policy={"overlap": overlap}), 1, JobStatus.ACTIVE, DUE, NOW, open_runs)
    assert made.replaces is replaces


@pytest.mark.parametrize(
    ("status", "reason"), [(JobStatus.PAUSED, Reason.PAUSED), (JobStatus.BROKEN, Reason.BROKEN)]
)
def test_halted_job_skips_every_instant_with_its_reason(status: JobStatus, reason: Reason) -> None:
    rows = decide(2, status=status)
    assert [(row.decision, row.reason, row.run_id) for row in rows] == [(Decision.SKIPPED, reason, None)] * 3


def test_long_outage_is_one_summarising_row_and_the_latest_fires() -> None:
    missed, coalesced, fired = decide(3600)
    assert (missed.decision, missed.reason, missed.instants) == (Decision.MISSED, Reason.MISFIRE, 3301)
    assert missed.first_due_at == DUE - timedelta(seconds=3600)
    assert (coalesced.decision, coalesced.instants) == (Decision.COALESCED, 299)
    assert (fired.decision, fired.due_at) == (Decision.FIRED, DUE)


def test_outage_beyond_one_walk_is_continued_by_the_next_wake_up() -> None:
    due_at = DUE - timedelta(seconds=MAX_WALK + 500)
    made = plan(definition(), 1, JobStatus.ACTIVE, due_at, NOW, 0)
    assert made.next_due_at == due_at + timedelta(seconds=MAX_WALK)
    assert sum(row.instants for row in made.decided) == MAX_WALK
    assert all(row.decision is not Decision.FIRED for row in made.decided)


def test_jitter_delays_the_run_and_never_moves_the_instant() -> None:
    job = definition(trigger={"type": "interval", "seconds": 60, "jitter": 30})
    made = [plan(job, 1, JobStatus.ACTIVE, DUE, NOW, 0).decided[0] for _ in range(2)]
    assert made[0].due_at == made[1].due_at == DUE
    assert made[0].not_before == made[1].not_before
    assert made[0].not_before is not None and DUE < made[0].not_before <= DUE + timedelta(seconds=30)


def test_past_date_that_says_so_still_fires() -> None:
    trigger = {"type": "date", "run_date": "2026-11-20T00:00:00+00:00", "misfire": "run_once"}
    job = definition(trigger=trigger)
    assert job.schedule.first_due(NOW) == datetime(2026, 11, 20, tzinfo=UTC)
    made = plan(job, 1, JobStatus.ACTIVE, datetime(2026, 11, 20, tzinfo=UTC), NOW, 0)
    assert fates(list(made.decided)) == ["fired"] and made.next_due_at is None


def test_past_date_without_it_is_never_due() -> None:
    job = definition(trigger={"type": "date", "run_date": "2026-11-20T00:00:00+00:00"})
    assert job.schedule.first_due(NOW) is None


def test_settling_gives_every_instant_that_had_come_a_row() -> None:
    rows = settle(definition(), JobStatus.ACTIVE, DUE - timedelta(seconds=2), NOW)
    assert fates(list(rows)) == ["skipped:superseded"] * 3
    assert settle(definition(), JobStatus.ACTIVE, DUE + timedelta(seconds=5), NOW) == ()
    assert settle(definition(), JobStatus.PAUSED, DUE, NOW)[0].reason is Reason.PAUSED


def test_settling_is_not_bounded_by_one_walk() -> None:
    rows = settle(definition(), JobStatus.ACTIVE, DUE - timedelta(seconds=MAX_WALK + 9), NOW)
    assert sum(row.instants for row in rows) == MAX_WALK + 10


@given(
    late=st.integers(0, 2000),
    open_runs=st.integers(0, 5),
    catch_up=st.sampled_from(["none", "latest", "all"]),
    overlap=st.sampled_from(["allow", "skip", "queue", "replace"]),
    grace=st.floats(0, 3000),
    cap=st.integers(1, 200),
)
def test_every_instant_is_accounted_for_exactly_once(
    late: int, open_runs: int, catch_up: str, overlap: str, grace: float, cap: int
) -> None:
    rows = decide(late, open_runs, catch_up=catch_up, overlap=overlap, misfire_grace=grace, catch_up_cap=cap)
    covered: list[datetime] = []
    for row in rows:
        first = row.first_due_at or row.due_at
        covered += [first + timedelta(seconds=n) for n in range(row.instants)]
        assert covered[-1] == row.due_at
        assert (row.decision is Decision.FIRED) == (row.run_id is not None) == (row.reason is None)
    assert covered == [DUE - timedelta(seconds=late - n) for n in range(late + 1)]
