"""APScheduler's jobs as the real library pickles them, and what a tampered store holds."""

import os
import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from apscheduler.job import Job as TheirJob
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from cronzimus.importers.apscheduler import KNOWN, Entry, import_apscheduler
from cronzimus.models.job import JobDefinition
from tests.importers.test_pickles import Evil

BERLIN = "Europe/Berlin"


def entry(
    trigger: Any, protocol: int = pickle.HIGHEST_PROTOCOL, due: float | None = 1.0, **options: Any
) -> Entry:
    """A row as the SQLAlchemy store writes it."""
    whole = {
        "func": "os.path:join",
        "args": ["a"],
        "kwargs": {},
        "id": "My job",
        "name": "My job",
        "executor": "default",
    }
    limits = {"misfire_grace_time": 30, "coalesce": True, "max_instances": 2, "next_run_time": None}
    job = TheirJob(BackgroundScheduler(timezone="UTC"), trigger=trigger, **{**whole, **limits, **options})
    return Entry("My job", due, pickle.dumps(job.__getstate__(), protocol))


def trigger_of(trigger: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    found = import_apscheduler([entry(trigger, protocol)])
    assert found.refused == (), found.notes
    return found.documents[0]["trigger"]


def test_a_job_is_taken_over() -> None:
    found = import_apscheduler(
        [entry(IntervalTrigger(minutes=5, timezone="UTC", start_date=datetime(2026, 1, 1, tzinfo=UTC)))]
    )
    assert found.documents == (
        {
            "id": "my-job",
            "description": "APScheduler: My job",
            "params": {"func": "os.path:join", "args": ["a"]},
            "trigger": {"type": "interval", "seconds": 300, "start_date": "2026-01-01T00:00:00+00:00"},
            "policy": {"misfire_grace": 30.0, "catch_up": "latest", "max_instances": 2},
        },
    )
    assert "within scheduler.allowed_functions" in found.notes[0].text


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [
        (CronTrigger(hour=2, timezone=BERLIN), {"hour": "2", "minute": "0", "second": "0"}),
        (CronTrigger(second="*/10", timezone=BERLIN), {"second": "*/10", "minute": "*", "hour": "*"}),
        (
            CronTrigger(day_of_week="mon-fri", hour="8-18/2", timezone=BERLIN),
            {"day_of_week": "mon,tue,wed,thu,fri", "hour": "8-18/2"},
        ),
        (CronTrigger(day_of_week="0,6", timezone=BERLIN), {"day_of_week": "mon,sun"}),
        (CronTrigger(day="last", timezone=BERLIN), {"day": "L"}),
        (CronTrigger(day="1st fri", timezone=BERLIN), {"day_of_week": "fri#1"}),
        (CronTrigger(day="last sun", hour=3, timezone=BERLIN), {"day_of_week": "sunL", "hour": "3"}),
        (CronTrigger(month="jan-mar", day=5, timezone=BERLIN), {"month": "1-3", "day": "5"}),
        (CronTrigger(year="2027-2030", week=10, timezone=BERLIN), {"year": "2027-2030", "week": "10"}),
        (
            CronTrigger.from_crontab("0 5 * * mon", timezone=BERLIN),
            {"minute": "0", "hour": "5", "day_of_week": "mon"},
        ),
        (CronTrigger(hour=1, jitter=60, timezone=BERLIN), {"hour": "1", "jitter": 60}),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_cron_triggers_fire_when_theirs_do(trigger: Any, fields: dict[str, Any], protocol: int) -> None:
    found = trigger_of(trigger, protocol)
    assert found["timezone"] == BERLIN and found["type"] == "cron"
    assert fields.items() <= found.items()
    definition = JobDefinition.model_validate(
        {"id": "a", "params": {"func": "os.path:join"}, "trigger": found}
    )
    theirs, ours = [], []
    at = due = datetime(2026, 11, 1, tzinfo=UTC)
    unjittered = CronTrigger(timezone=trigger.timezone)
    unjittered.fields = trigger.fields
    for _ in range(20):
        following = unjittered.get_next_fire_time(None, at + timedelta(microseconds=1))
        next_due = definition.schedule.next_after(due)
        if following is None or next_due is None:
            break
        at, due = following.astimezone(UTC), next_due
        theirs.append(at)
        ours.append(due)
    assert theirs == ours and theirs


def test_dates_keep_their_instant() -> None:
    moment = datetime(2030, 1, 1, 12, 30, 15, 123456)
    for given in (
        DateTrigger(moment, timezone=BERLIN),
        DateTrigger(moment.replace(tzinfo=UTC)),
        DateTrigger(moment.replace(tzinfo=timezone(timedelta(hours=2)))),
    ):
        for protocol in (2, 5):
            found = trigger_of(given, protocol)
            assert datetime.fromisoformat(found["run_date"]) == given.run_date


def test_an_or_trigger_is_several() -> None:
    either = OrTrigger(
        [CronTrigger(hour=1, timezone="UTC"), OrTrigger([CronTrigger(hour=2, timezone="UTC")])]
    )
    assert [one["hour"] for one in trigger_of(either)] == ["1", "2"]


def test_a_job_without_a_next_run_was_paused() -> None:
    found = import_apscheduler([entry(CronTrigger(hour=1, timezone="UTC"), due=None)])
    assert found.documents[0]["paused"] is True and found.notes[0].fate == "paused"


def test_what_differs_is_named() -> None:
    odd = entry(
        CronTrigger(hour=1, timezone="UTC", jitter=5), executor="gpu", misfire_grace_time=None, coalesce=False
    )
    found = import_apscheduler([odd])
    assert found.documents[0]["policy"] == {
        "misfire_grace": 31_536_000.0,
        "catch_up": "all",
        "max_instances": 2,
    }
    assert "executor 'gpu' has no counterpart" in found.notes[0].text and "jitter" in found.notes[0].text


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (entry(AndTrigger([CronTrigger(hour=1, timezone="UTC")])), "an AndTrigger has no counterpart"),
        (
            entry(CronTrigger(day=13, day_of_week="fri", timezone="UTC")),
            "day and day_of_week must both match",
        ),
        (entry(CronTrigger(day="1st mon,15", timezone="UTC")), "in one field have no counterpart"),
        (entry(CronTrigger(hour=1, timezone="UTC"), args=[{1}]), "its args hold more than plain data"),
        (entry(CronTrigger(hour=1, timezone="UTC"), args=[Path("/")]), "it names pathlib"),
        (Entry("x", 1.0, b""), "it is damaged"),
        (Entry("x", 1.0, pickle.dumps([1])), "its state is not that of a job"),
        (Entry("x", 1.0, pickle.dumps({"func": "a:b", "trigger": 5})), "it has no trigger"),
    ],
)
def test_what_cannot_be_read_is_refused(row: Entry, why: str) -> None:
    found = import_apscheduler([row])
    assert found.documents == () and why in found.refused[0].text


def test_a_tampered_row_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "owned"
    state = {"func": "os.path:join", "trigger": Evil(os.system, f"touch {marker}"), "args": (), "kwargs": {}}
    found = import_apscheduler(
        [Entry("evil", 1.0, pickle.dumps(state)), entry(CronTrigger(hour=1, timezone="UTC"))]
    )
    assert not marker.exists()
    assert [note.fate for note in found.notes] == ["refused", "job"]
    assert "system, which is nothing a schedule is made of" in found.notes[0].text


def test_nothing_that_acts_is_known() -> None:
    assert not [name for name in KNOWN if name.split(".")[0] in ("os", "posix", "subprocess", "sys")]
    assert not {"builtins.eval", "builtins.exec", "builtins.getattr", "builtins.__import__"} & KNOWN
