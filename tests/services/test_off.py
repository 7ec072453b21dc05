"""What days off and blackouts make of a job's instants, as the decision asks for it and through the decision."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cronzimus.models.blackout import Blackout
from cronzimus.models.calendar import DaysOff
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.services.decide import Decided, plan
from cronzimus.services.off import held_until, moved_here, sort_out, why_off
from tests.heart import definition

WEEKEND = DaysOff(frozenset({5, 6}), {}, {date(2026, 10, 30): "bridge day"}, "de-be")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(cron: str = "0 9 * * *", **fields: Any) -> JobDefinition:
    keeps = definition(trigger={"type": "cron", "expression": cron}, **fields)
    return keeps.observing(WEEKEND) if keeps.calendar else keeps


def window(**fields: Any) -> Blackout:
    return Blackout.model_validate(fields)


NIGHT = window(start="22:00", end="06:00", policy="hold", reason="backups")
NOON = window(start="12:00", end="13:00")


def decided(
    job: JobDefinition, first: str, now: str, *blackouts: Blackout, open_runs: int = 0
) -> list[Decided]:
    return list(plan(job, 1, JobStatus.ACTIVE, at(first), at(now), open_runs, blackouts).decided)


def fates(rows: list[Decided]) -> list[tuple[Decision, Reason | None]]:
    return [(row.decision, row.reason) for row in rows]


def test_day_off_is_a_row_that_names_it() -> None:
    (row,) = decided(daily(calendar="de-be"), "2026-10-30T09:00", "2026-10-30T09:00:01")
    assert (row.decision, row.reason, row.run_id) == (Decision.SKIPPED, Reason.CALENDAR, None)
    assert row.note == "bridge day in calendar de-be"


def test_day_off_is_skipped_however_late_it_is_found() -> None:
    job = daily(calendar="de-be", policy={"misfire_grace": 3600})
    rows = decided(job, "2026-10-29T09:00", "2026-11-02T09:00:01")
    assert fates(rows) == [
        (Decision.MISSED, Reason.MISFIRE),
        (Decision.SKIPPED, Reason.CALENDAR),
        (Decision.SKIPPED, Reason.CALENDAR),
        (Decision.SKIPPED, Reason.CALENDAR),
        (Decision.FIRED, None),
    ]


def test_moved_instant_fires_and_says_where_from() -> None:
    job = daily("0 9 31 * *", calendar="de-be", business_day="previous")
    rows = decided(job, "2026-10-29T09:00", "2026-10-31T09:00:01", open_runs=0)
    assert [(row.due_at, row.decision, row.note) for row in rows] == [
        (
            at("2026-10-29T09:00"),
            Decision.MISSED,
            None,
        ),
        (
            at("2026-10-31T09:00"),
            Decision.SKIPPED,
            "Saturday in calendar de-be; moved to Thu 2026-10-29 09:00:00 UTC",
        ),
    ]
    (fired,) = decided(job, "2026-10-29T09:00", "2026-10-29T09:00:01")
    assert fired.note == "moved from Sat 2026-10-31 09:00:00 UTC, Saturday in calendar de-be"
    assert moved_here(job, at("2026-12-31T09:00")) is None


def test_blackout_of_the_job_skips() -> None:
    rows = decided(daily("30 12 * * *", blackouts=[NOON]), "2026-11-02T12:30", "2026-11-02T12:30:01")
    assert fates(rows) == [(Decision.SKIPPED, Reason.BLACKOUT)]
    assert rows[0].note == "a blackout until Mon 2026-11-02 13:00:00 UTC"


def test_blackout_of_the_house_skips_what_the_job_does_not_mention() -> None:
    rows = decided(daily("30 12 * * *"), "2026-11-02T12:30", "2026-11-02T12:30:01", NOON)
    assert fates(rows) == [(Decision.SKIPPED, Reason.BLACKOUT)]
    assert fates(decided(daily("30 12 * * *"), "2026-11-02T12:30", "2026-11-02T12:30:01")) == [
        (Decision.FIRED, None)
    ]


def test_held_instants_fire_once_at_the_end() -> None:
    job = daily("0 * * * *", blackouts=[NIGHT], policy={"misfire_grace": 86_400, "catch_up": "all"})
    rows = decided(job, "2026-11-02T21:00", "2026-11-03T06:00:01")
    assert fates(rows) == [
        (Decision.FIRED, None),
        *[(Decision.COALESCED, Reason.BLACKOUT)] * 7,
        (Decision.FIRED, None),
        (Decision.FIRED, None),
    ]
    last_held = rows[-2]
    assert (last_held.due_at, last_held.not_before) == (at("2026-11-03T05:00"), at("2026-11-03T06:00"))
    assert last_held.note == "held by the blackout 'backups' until Tue 2026-11-03 06:00:00 UTC"
    assert rows[0].not_before is None and rows[-1].not_before is None


def test_each_instant_is_decided_alike_alone_and_together() -> None:
    job = daily("0 * * * *", calendar="de-be", blackouts=[NIGHT, NOON], policy={"catch_up": "all"})
    together = {}
    step = at("2026-10-29T00:00")
    while step < at("2026-11-02T23:00"):
        for row in decided(job, step.isoformat()[:16], (step + timedelta(seconds=1)).isoformat()[:19]):
            together[row.due_at] = (row.decision, row.reason, row.note, row.not_before)
        step += timedelta(hours=1)
    whole = daily(
        "0 * * * *",
        calendar="de-be",
        blackouts=[NIGHT, NOON],
        policy={"catch_up": "all", "misfire_grace": 864_000},
    )
    rows = decided(whole, "2026-10-29T00:00", "2026-11-02T22:00:01")
    assert {row.due_at: (row.decision, row.reason, row.note, row.not_before) for row in rows} == together


def test_held_instant_whose_end_is_long_past_came_too_late() -> None:
    job = daily("0 23 * * *", blackouts=[NIGHT])
    assert fates(decided(job, "2026-11-02T23:00", "2026-11-03T06:04")) == [(Decision.FIRED, None)]
    assert fates(decided(job, "2026-11-02T23:00", "2026-11-03T06:06")) == [(Decision.MISSED, Reason.MISFIRE)]


def test_last_held_instant_is_not_one_that_is_skipped_itself() -> None:
    late = window(start="05:00", end="06:00")
    job = daily("0 * * * *", blackouts=[NIGHT, late])
    rows = decided(job, "2026-11-03T04:00", "2026-11-03T05:00:01")
    assert fates(rows) == [(Decision.FIRED, None), (Decision.SKIPPED, Reason.BLACKOUT)]
    assert rows[0].not_before == at("2026-11-03T06:00")


def test_overlap_still_counts_for_a_held_firing() -> None:
    rows = decided(
        daily("0 23 * * *", blackouts=[NIGHT]), "2026-11-02T23:00", "2026-11-02T23:00:01", open_runs=1
    )
    assert fates(rows) == [(Decision.SKIPPED, Reason.OVERLAP)]


def test_jitter_delays_from_the_end_of_the_hold() -> None:
    job = definition(
        trigger={"type": "cron", "expression": "0 23 * * *", "jitter": 600},
        blackouts=[NIGHT.model_dump(mode="json", by_alias=True)],
    )
    (row,) = decided(job, "2026-11-02T23:00", "2026-11-02T23:00:01")
    assert row.not_before == at("2026-11-03T06:00") + job.schedule.delay_of(row.due_at)


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.BROKEN])
def test_a_halted_job_is_halted_on_days_off_too(status: JobStatus) -> None:
    made = plan(daily(calendar="de-be"), 1, status, at("2026-10-30T09:00"), at("2026-10-30T09:00:01"), 0)
    assert [row.reason for row in made.decided] == [Reason(str(status))]


def test_many_days_off_of_one_name_share_a_row_and_different_ones_no_note() -> None:
    job = daily("*/5 * * * * *", calendar="de-be", policy={"catch_up_cap": 10})
    (row,) = decided(job, "2026-10-31T00:00", "2026-10-31T02:00")
    assert (row.instants, row.reason, row.note) == (1441, Reason.CALENDAR, "Saturday in calendar de-be")
    (row,) = decided(job, "2026-10-31T20:00", "2026-11-01T02:00")
    assert (row.reason, row.note) == (Reason.CALENDAR, None)


def test_sort_out_leaves_plain_instants_alone() -> None:
    found = sort_out(daily(), (NIGHT,), [at("2026-11-02T09:00")])
    assert (found.due, found.off, found.together, found.starts) == ([at("2026-11-02T09:00")], [], [], {})
    assert why_off(daily(), (NIGHT,), at("2026-11-02T23:00")) is None
    assert held_until(daily(), (NIGHT,), at("2026-11-02T23:00")) == at("2026-11-03T06:00")
    assert held_until(daily(), (NOON,), at("2026-11-02T12:30")) is None
