"""Which instants a backfill takes, by every past an instant can have."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.models.backfill import BackfillRequest, Item, Was
from cronzimus.models.calendar import Calendar
from cronzimus.models.run import RunState
from cronzimus.services.backfill_choice import choose, read_ledger
from cronzimus.services.calendars import Calendars
from cronzimus.utils.ids import new_id
from tests.heart import Heart, definition

HOURLY = {"type": "interval", "hours": 1}
START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = START + timedelta(days=30)


def hour(n: int) -> datetime:
    return START + timedelta(hours=n)


def request(**fields: Any) -> BackfillRequest:
    return BackfillRequest.model_validate({"job_id": "a", "from": START, "to": hour(5), **fields})


def chosen(heart: Heart, **fields: Any) -> list[Item]:
    asked = request(**fields)
    job = heart.definitions.get("a", heart.timetable.get("a").version)
    ledger = read_ledger(heart.database, "a", asked.begins, asked.ends)
    return choose(asked, job, ledger, asked.begins, asked.ends, NOW)


def record(
    heart: Heart, at: datetime, decision: str, reason: str | None = None, state: str = "", **more: Any
) -> None:
    """A ledger row, and its run in `state`."""
    run_id = new_id() if decision == "fired" else None
    columns = {
        "at": at,
        "decision": decision,
        "reason": reason,
        "run": run_id,
        "first": at,
        "instants": 1,
        **more,
    }
    heart.database.execute(
        "INSERT INTO cronzimus.firings (job_id, due_at, first_due_at, instants, decision, reason, run_id, epoch,"
        " decided_by, job_version)"
        " VALUES ('a', %(at)s, %(first)s, %(instants)s, %(decision)s, %(reason)s, %(run)s, 1, 'me', 1)",
        columns,
    )
    if state:
        ended = None if state in ("pending", "running") else at
        heart.database.execute(
            "INSERT INTO cronzimus.runs (id, job_id, job_version, due_at, cause, state, ended_at, worker_id,"
            " lease_until, trace_id) VALUES (%s, 'a', 1, %s, 'schedule', %s, %s, 'w', now(), 't')",
            [run_id, at, state, ended],
        )


@pytest.fixture
def eventful(heart: Heart) -> Heart:
    """A job whose first hours had one fate each."""
    heart.add(trigger=HOURLY, policy={"overlap": "allow"})
    record(heart, hour(0), "fired", state="success")
    record(heart, hour(1), "fired", state="failed")
    record(heart, hour(2), "fired", state="running")
    record(heart, hour(3), "missed", "misfire")
    record(heart, hour(4), "skipped", "overlap")
    return heart


def test_every_past_is_told_apart(eventful: Heart) -> None:
    assert chosen(eventful, outcomes=["all"]) == [
        Item(hour(0), Was.SUCCESS),
        Item(hour(1), Was.FAILED),
        Item(hour(3), Was.MISSED),
        Item(hour(4), Was.SKIPPED),
        Item(hour(5), Was.MISSING),
    ]


@pytest.mark.parametrize(
    ("outcomes", "hours"),
    [
        (["failed"], [1]),
        (["missed"], [3]),
        (["skipped"], [4]),
        (["missing"], [5]),
        (["coalesced"], []),
        (["missed", "failed"], [1, 3]),
    ],
)
def test_only_what_was_asked_for_is_taken(eventful: Heart, outcomes: list[str], hours: list[int]) -> None:
    assert [item.due_at for item in chosen(eventful, outcomes=outcomes)] == [hour(n) for n in hours]
    latest_first = chosen(eventful, outcomes=outcomes, reverse=True)
    assert [item.due_at for item in latest_first] == [hour(n) for n in reversed(hours)]


def test_summarising_row_speaks_for_every_instant_it_covers(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    record(heart, hour(4), "missed", "misfire", first=hour(1), instants=4)
    assert [(item.due_at, item.was) for item in chosen(heart, outcomes=["all"])] == [
        (hour(0), Was.MISSING),
        *[(hour(n), Was.MISSED) for n in range(1, 5)],
        (hour(5), Was.MISSING),
    ]


def test_what_succeeded_later_needs_no_backfill(eventful: Heart) -> None:
    (failed,) = eventful.database.fetch_all("SELECT id FROM cronzimus.runs WHERE state = 'failed'")
    retry = eventful.runs.retry(failed[0], by="ann")
    assert chosen(eventful, outcomes=["failed"]) == []
    (claim,) = eventful.claim([eventful.offered[-1]])
    eventful.end(claim, RunState.SUCCESS)
    assert retry.id == claim.run_id and chosen(eventful, outcomes=["failed"]) == []
    assert chosen(eventful, outcomes=["all"])[1] == Item(hour(1), Was.SUCCESS)


def test_days_off_are_never_filled(heart: Heart) -> None:
    calendars = Calendars(heart.database, heart.timetable)
    calendars.add(Calendar.model_validate({"id": "ours", "days": ["2026-03-02"]}), by="ann")
    heart.add(trigger=HOURLY, calendar="ours")
    record(heart, hour(1), "skipped", "calendar")
    assert chosen(heart, outcomes=["all"], to=hour(24)) == [Item(hour(24), Was.MISSING)]


def test_instants_of_earlier_definitions_count_where_the_ledger_has_them(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    odd = hour(1) + timedelta(minutes=20)
    record(heart, odd, "missed", "misfire")
    assert [item.due_at for item in chosen(heart, outcomes=["missed"])] == [odd]


def test_ranges_without_end_are_refused(heart: Heart) -> None:
    heart.add()
    with pytest.raises(Invalid, match="more than 10000") as caught:
        chosen(heart, to=START + timedelta(hours=10))
    assert caught.value.code == "BACKFILL_TOO_LARGE"
    with pytest.raises(Invalid, match="more than 100000"):
        chosen(heart, outcomes=["failed"], to=START + timedelta(days=10))


def test_what_has_just_come_is_left_to_the_leader(heart: Heart) -> None:
    asked = request(to=hour(2))
    ledger = read_ledger(heart.database, "a", START, hour(2))
    job = definition(trigger=HOURLY)
    found = choose(asked, job, ledger, START, hour(2), hour(2) + timedelta(seconds=5))
    assert [item.due_at for item in found] == [hour(0), hour(1)]
