"""A plan predicts, an apply makes, and on a clock moved through months the ledger holds exactly those firings."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid
from cronzimus.models.blackout import HouseBlackout
from cronzimus.models.calendar import Calendar
from cronzimus.models.job import JobStatus
from cronzimus.models.plan import Action, TimetablePlan, Wanted
from cronzimus.services.audit import Audit
from cronzimus.services.blackouts import Blackouts
from cronzimus.services.calendars import Calendars
from cronzimus.services.firing import DueJob
from cronzimus.services.planning import Planner
from tests.heart import Heart, definition

AHEAD = 140
CRON: Any = {"type": "cron"}

BEFORE: dict[str, dict[str, Any]] = {
    "changed": {"trigger": {**CRON, "expression": "0 2 * * *"}, "timezone": "Europe/Berlin"},
    "gone": {"trigger": {**CRON, "expression": "*/30 * * * *"}},
    "same": {"trigger": {**CRON, "expression": "30 2 * * *"}, "timezone": "America/New_York"},
}
AFTER: dict[str, dict[str, Any]] = {
    "changed": {"trigger": {**CRON, "expression": "30 2 * * *"}, "timezone": "Europe/Berlin"},
    "same": BEFORE["same"],
    "half": {"trigger": {**CRON, "expression": "*/30 * * * *"}, "timezone": "Australia/Lord_Howe"},
    "both": {"trigger": {**CRON, "expression": "30 1 * * *", "dst": "both"}, "timezone": "Europe/London"},
    "several": {
        "trigger": [
            {**CRON, "expression": "H 4 * * 1-5", "timezone": "Asia/Tokyo"},
            {"type": "interval", "hours": 36},
            {"type": "date", "run_date": "2099-01-01T00:00:00"},
        ]
    },
    "jitter": {"trigger": {**CRON, "expression": "15 */6 * * *", "jitter": 600}},
    "workdays": {
        "trigger": {**CRON, "expression": "0 9 * * *"},
        "timezone": "Europe/Berlin",
        "calendar": {"id": "weekends"},
        "business_day": "next",
    },
    "quiet": {
        "trigger": {**CRON, "expression": "0 * * * *"},
        "blackouts": [{"start": "22:00", "end": "06:00", "policy": "hold"}],
    },
    "frozen": {"trigger": {**CRON, "expression": "0 */4 * * *"}, "tags": ["shop"]},
}


def test_what_was_planned_is_what_fires(heart: Heart) -> None:
    planner = Planner(heart.database, heart.definitions, heart.timetable, Audit(heart.database))
    weekends = {"id": "weekends", "days": ["12-24", "12-25"], "weekdays": ["sat", "sun"]}
    Calendars(heart.database, heart.timetable).add(Calendar.model_validate(weekends), by="test")
    freeze = {"id": "freeze", "start": "08:00", "end": "12:30", "days": ["mon", "tue"], "tags": ["shop"]}
    Blackouts(heart.database).add(HouseBlackout.model_validate(freeze), by="test")
    for job_id, document in BEFORE.items():
        heart.add(job_id, **document)
    asked = [Wanted(definition(job_id, **document)) for job_id, document in AFTER.items()]

    plan = planner.plan(asked, prune=True, ahead=AHEAD)
    planner.apply(asked, plan.hash, by="test", prune=True)
    planned = predicted(plan)
    made = {job_id: let_time_pass(heart, job_id, instants[-1]) for job_id, instants in planned.items()}

    assert {job.id: job.action for job in plan.jobs if job.action is not Action.CREATE} == {
        "changed": Action.CHANGE,
        "gone": Action.REMOVE,
        "same": Action.UNCHANGED,
    }
    assert planned.keys() == AFTER.keys() - {"same"}
    assert all(len(instants) > 100 for instants in planned.values())
    assert made == planned
    assert heart.database.fetch_one("SELECT count(*) FROM cronzimus.firings WHERE job_id = 'gone'") == (0,)


def predicted(plan: TimetablePlan) -> dict[str, list[datetime]]:
    """The instants that are to fire, of every job that changes and stays."""
    return {
        job.id: [firing.after.due_at for firing in job.firings if firing.after]
        for job in plan.changes
        if job.action is not Action.REMOVE
    }


def let_time_pass(heart: Heart, job_id: str, until: datetime) -> list[datetime]:
    """Move the clock from instant to instant, decide and commit each as the leader does; what the ledger then holds."""
    heart.firing._blackouts.keep_up(1)
    while True:
        job = heart.timetable.get(job_id)
        if job.next_due_at is None or job.next_due_at > until:
            break
        found = heart.definitions.get(job_id, job.version)
        due = DueJob(found, job.version, JobStatus(job.status), job.next_due_at, open_runs=0)
        decided = heart.firing.decide(due, job.next_due_at + timedelta(milliseconds=20))
        heart.lead()
        assert heart.leadership.term and heart.firing.commit(heart.leadership.term, [decided]) is not None
    fired = "SELECT due_at FROM cronzimus.firings WHERE job_id = %s AND decision = 'fired' ORDER BY due_at"
    return [due_at for (due_at,) in heart.database.fetch_all(fired, [job_id])]


def test_days_off_and_blackouts_make_a_plan_stale(heart: Heart) -> None:
    planner = Planner(heart.database, heart.definitions, heart.timetable, Audit(heart.database))
    calendars, blackouts = Calendars(heart.database, heart.timetable), Blackouts(heart.database)
    calendars.add(Calendar.model_validate({"id": "ours", "days": ["12-24"]}), by="test")
    asked = [Wanted(definition("a", trigger={**CRON, "expression": "0 9 * * *"}, calendar={"id": "ours"}))]
    plan = planner.plan(asked)
    calendars.replace(Calendar.model_validate({"id": "ours", "days": ["12-24", "12-25"]}), by="test")
    with pytest.raises(Conflict) as refused:
        planner.apply(asked, plan.hash, by="test")
    assert refused.value.code == "PLAN_STALE"
    plan = planner.plan(asked)
    weekly = {"id": "freeze", "start": "08:00", "end": "12:30"}
    blackouts.add(HouseBlackout.model_validate(weekly), by="test")
    with pytest.raises(Conflict, match="plan again"):
        planner.apply(asked, plan.hash, by="test")
    planner.apply(asked, planner.plan(asked).hash, by="test")


def test_an_unknown_calendar_is_told_with_its_document(heart: Heart) -> None:
    planner = Planner(heart.database, heart.definitions, heart.timetable, Audit(heart.database))
    asked = [Wanted(definition("a")), Wanted(definition("b", calendar={"id": "nobodys"}))]
    with pytest.raises(Invalid, match="nobodys") as refused:
        planner.plan(asked)
    assert (refused.value.code, refused.value.faults[0].field) == ("UNKNOWN_CALENDAR", "documents.1.calendar")
