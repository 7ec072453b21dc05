"""The completeness proof finds exactly what is wrong, and nothing where nothing is."""

from datetime import UTC, datetime, time, timedelta

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.calendar import Calendar
from cronzimus.services.calendars import Calendars
from cronzimus.services.verify import Verification
from cronzimus.utils.ids import new_id
from tests.heart import Heart, definition

AGO = timedelta(minutes=10)


@pytest.fixture
def proven(heart: Heart) -> Heart:
    """A job of every second that exists since ten minutes ago, with a full ledger."""
    heart.add(policy={"catch_up_cap": 1000, "misfire_grace": 86400.0})
    heart.make_old("a", 599)
    heart.fire()
    return heart


def check(heart: Heart) -> Verification:
    now = datetime.now(UTC)
    return heart.verifier.verify(now - AGO, now)


def test_full_ledger_is_proven(proven: Heart) -> None:
    found = check(proven)
    assert found.ok and found.expected == found.recorded >= 598


def test_deleted_row_is_named(proven: Heart) -> None:
    victim = proven.history.firings().items[20].due_at
    proven.database.execute("DELETE FROM cronzimus.firings WHERE due_at = %s", [victim])
    found = check(proven)
    assert [(gap.job_id, gap.due_at, gap.version) for gap in found.gaps] == [("a", victim, 1)]
    assert not found.ok


def test_shifted_row_is_a_gap_and_a_surplus(proven: Heart) -> None:
    victim = proven.history.firings().items[20].due_at
    moved = victim + timedelta(milliseconds=10)
    proven.database.execute(
        "UPDATE cronzimus.firings SET due_at = %s, first_due_at = %s WHERE due_at = %s",
        [moved, moved, victim],
    )
    found = check(proven)
    assert [gap.due_at for gap in found.gaps] == [victim]
    assert [row.due_at for row in found.surplus] == [moved]


def test_second_run_for_one_instant_is_named(proven: Heart) -> None:
    (run,) = proven.history.runs().items
    proven.database.execute(
        "INSERT INTO cronzimus.runs (id, job_id, job_version, due_at, cause, trace_id)"
        " VALUES (gen_random_uuid(), 'a', 1, %s, 'schedule', 'x')",
        [run.due_at],
    )
    found = check(proven)
    assert [(row.due_at, row.problem) for row in found.surplus] == [
        (run.due_at, "2 runs for one due instant")
    ]


def test_range_that_covers_what_it_says_is_proven(heart: Heart) -> None:
    heart.add(policy={"misfire_grace": 1.0})
    heart.make_old("a", 599)
    heart.fire()
    assert heart.history.firings().total == 2 or heart.history.firings().total == 3
    assert check(heart).ok
    heart.database.execute("UPDATE cronzimus.firings SET instants = instants + 1 WHERE instants > 1")
    now = datetime.now(UTC)
    found = heart.verifier.verify(now - AGO - timedelta(minutes=1), now)
    assert ["covers" in row.problem for row in found.surplus] == [True]


def test_youngest_instants_may_still_be_on_their_way(heart: Heart) -> None:
    heart.add()
    heart.database.execute("UPDATE cronzimus.job_versions SET changed_at = changed_at - interval '5 seconds'")
    assert check(heart).ok


def test_change_of_definition_divides_what_was_due(proven: Heart) -> None:
    proven.timetable.replace(definition(trigger={"type": "interval", "hours": 1}), by="t")
    found = check(proven)
    assert found.ok and found.expected == found.recorded


def test_deleted_job_is_due_no_more(proven: Heart) -> None:
    proven.timetable.remove("a", by="t")
    assert check(proven).ok


def test_one_job_can_be_asked_for(proven: Heart) -> None:
    proven.add("b", trigger={"type": "manual"})
    now = datetime.now(UTC)
    assert proven.verifier.verify(now - AGO, now, job_id="b").expected == 0
    assert proven.verifier.verify(now - AGO, now, job_id="a").expected > 500


def test_version_that_cannot_be_loaded_is_a_finding(proven: Heart) -> None:
    proven.definitions._loaded.clear()
    proven.database.execute("UPDATE cronzimus.job_versions SET definition = '{}'")
    found = check(proven)
    assert not found.ok and "cannot be loaded" in found.gaps[0].problem


def test_reversed_window_is_refused(heart: Heart) -> None:
    now = datetime.now(UTC)
    with pytest.raises(Invalid):
        heart.verifier.verify(now, now - AGO)


def test_firing_on_a_day_off_is_found_and_a_skip_without_one(heart: Heart) -> None:
    calendars = Calendars(heart.database, heart.timetable)
    today = datetime.now(UTC).date()
    calendars.add(Calendar.model_validate({"id": "ours", "days": [today.isoformat()]}), by="ann")
    daily = {"type": "cron", "expression": "0 0 * * *"}
    heart.add("off", trigger=daily, calendar="ours")
    heart.add("on", trigger=daily, calendar={"id": "ours", "on": "only"})
    heart.database.execute("UPDATE cronzimus.job_versions SET changed_at = changed_at - interval '1 day'")
    for job in ("off", "on"):
        heart.make_due(job, "date_trunc('day', clock_timestamp())")
    heart.fire()
    start = datetime.combine(today, time(), UTC)
    end = start + timedelta(minutes=1)
    assert heart.verifier.verify(start, end).ok
    heart.database.execute(
        "UPDATE cronzimus.firings SET reason = NULL, decision = 'fired', run_id = %s", [new_id()]
    )
    (found,) = heart.verifier.verify(start, end).surplus
    assert (found.job_id, found.problem) == ("off", "fired on a day off: a day off in calendar ours")
    heart.database.execute(
        "UPDATE cronzimus.firings SET reason = 'calendar', decision = 'skipped', run_id = NULL"
    )
    (found,) = heart.verifier.verify(start, end).surplus
    assert (found.job_id, found.problem) == ("on", "skipped for a day off, and it was none")


def test_each_decision_is_verified_under_the_days_of_its_time(heart: Heart) -> None:
    calendars = Calendars(heart.database, heart.timetable)
    today = datetime.now(UTC).date()
    monthly = {"type": "cron", "expression": f"0 0 {today.day} {today.month} *"}
    calendars.add(Calendar.model_validate({"id": "ours", "days": [today.isoformat()]}), by="ann")
    heart.add(trigger=monthly, calendar="ours", business_day="previous")
    heart.database.execute("UPDATE cronzimus.job_versions SET changed_at = changed_at - interval '3 days'")
    heart.make_due("a", "date_trunc('day', clock_timestamp()) - interval '1 day'")
    heart.fire()
    calendars.replace(Calendar.model_validate({"id": "ours"}), by="ann")
    start = datetime.combine(today - timedelta(days=2), time(), UTC)
    found = heart.verifier.verify(start, datetime.now(UTC))
    assert found.ok and found.expected == 2, found
    assert "moved to" in heart.explain.why("a", datetime.combine(today, time(), UTC)).sentence
