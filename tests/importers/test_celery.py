"""Celery beat in Python: read, never run; each entry taken over or refused by its line."""

from pathlib import Path

import pytest

from cronzimus.importers.celery import import_celery_python

CONFIG = """
import os
from datetime import timedelta
from celery import Celery
from celery.schedules import crontab, schedule, solar

open("{marker}", "w").write("this file was run")
app = Celery("shop")
app.conf.timezone = "Europe/Berlin"
app.conf.beat_schedule = {{
    "nightly report": {{
        "task": "shop.tasks.report",
        "schedule": crontab(hour=2, minute=30, day_of_week="mon-fri"),
        "args": (1, "two"),
        "kwargs": {{"deep": {{"a": [1, None]}}}},
        "options": {{"queue": "slow", "expires": 300, "priority": 5}},
    }},
    "every-half-minute": {{"task": "shop.tasks.tick", "schedule": 30.0}},
    "delta": {{"task": "shop.tasks.tick", "schedule": timedelta(hours=1, minutes=30)}},
    "product": {{"task": "shop.tasks.tick", "schedule": 60 * 60 * 24}},
    "wrapped": {{"task": "shop.tasks.tick", "schedule": schedule(run_every=timedelta(seconds=10))}},
    "positional": dict(task="shop.tasks.tick", schedule=crontab("*/15", "8-18", "1", "1,15", "*/3")),
    "listed": {{"task": "shop.tasks.tick", "schedule": crontab(minute=[0, 30], hour={{3, 4}})}},
    "bare": {{"task": "shop.tasks.tick", "schedule": crontab()}},
    "sunrise": {{"task": "shop.tasks.tick", "schedule": solar("sunrise", 52.5, 13.4)}},
    "computed": {{"task": "shop.tasks.tick", "schedule": int(os.environ["EVERY"])}},
    "dynamic args": {{"task": "shop.tasks.tick", "schedule": 5, "args": (os.getpid(),)}},
    "no module": {{"task": "tick", "schedule": 5}},
    "no task": {{"schedule": 5}},
    "wrong field": {{"task": "shop.tasks.tick", "schedule": crontab(hour=25)}},
    "made": make_entry(),
    os.environ["NAME"]: {{"task": "shop.tasks.tick", "schedule": 5}},
    **more(),
}}


@app.on_after_configure.connect
def add(sender, **_):
    sender.add_periodic_task(10.0, tick.s())
"""


def test_a_file_is_read_entry_by_entry(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    found = import_celery_python(CONFIG.format(marker=marker), "celeryconfig.py")
    assert not marker.exists()
    triggers = {document["id"]: document["trigger"] for document in found.documents}
    assert triggers == {
        "nightly-report": {"type": "cron", "minute": "30", "hour": "2", "day_of_week": "mon-fri"},
        "every-half-minute": {"type": "interval", "seconds": 30},
        "delta": {"type": "interval", "hours": 1, "minutes": 30},
        "product": {"type": "interval", "seconds": 86400},
        "wrapped": {"type": "interval", "seconds": 10},
        "positional": {
            "type": "cron",
            "minute": "*/15",
            "hour": "8-18",
            "day_of_week": "1",
            "day": "1,15",
            "month": "*/3",
        },
        "listed": {"type": "cron", "minute": "0,30", "hour": "3,4"},
        "bare": {"type": "cron", "minute": "*", "hour": "*"},
    }
    assert {document["timezone"] for document in found.documents} == {"Europe/Berlin"}


def test_everything_else_of_an_entry_is_kept_or_named() -> None:
    found = import_celery_python(CONFIG.format(marker="/dev/null"), "celeryconfig.py")
    (report,) = [document for document in found.documents if document["id"] == "nightly-report"]
    assert report["params"] == {
        "func": "shop.tasks:report",
        "args": [1, "two"],
        "kwargs": {"deep": {"a": [1, None]}},
    }
    assert (report["queue"], report["policy"]) == ("slow", {"misfire_grace": 300.0})
    (note,) = [note for note in found.notes if note.job_id == "nightly-report"]
    assert "within scheduler.allowed_functions" in note.text and note.text.endswith(
        "not taken over: priority"
    )
    assert note.place == "11"


def test_what_is_refused_says_why() -> None:
    found = import_celery_python(CONFIG.format(marker="/dev/null"), "celeryconfig.py")
    said = [note.text for note in found.refused]
    for reason in (
        "sunrise: solar: when the sun rises is not foreseen",
        "computed: a schedule of this kind is not known: int(os.environ['EVERY'])",
        "dynamic args: computed, not written out: (os.getpid(),)",
        "no module: task 'tick' names no module",
        "no task: an entry needs task and schedule",
        "wrong field: trigger.hour",
        "made: computed, not written out: make_entry()",
        "the entry's name is computed, not written out: os.environ['NAME']",
        "the entry's name is computed, not written out: more()",
        "added by code that would have to run: sender.add_periodic_task(10.0, tick.s())",
    ):
        assert any(text.startswith(reason) for text in said), (reason, said)
    assert len(said) == 10


@pytest.mark.parametrize(
    "assignment",
    [
        "beat_schedule = {}",
        "CELERYBEAT_SCHEDULE: dict = {}",
        "CELERY_BEAT_SCHEDULE = {}",
        "app.conf.update(beat_schedule={})",
        "app.conf.beat_schedule.update({})",
        'app.conf["beat_schedule"] = {}',
        "beat_schedule |= {}",
    ],
)
def test_a_schedule_is_found_wherever_it_is_written(assignment: str) -> None:
    entry = '{"a": {"task": "m.f", "schedule": 5}}'
    found = import_celery_python(assignment.replace("{}", entry), "c.py")
    assert [document["id"] for document in found.documents] == ["a"]


def test_a_schedule_that_is_computed_is_refused() -> None:
    (note,) = import_celery_python("beat_schedule = load()", "c.py").notes
    assert "computed, not written out: load()" in note.text


@pytest.mark.parametrize("text", ["beat_schedule = {", "\0", "(" * 500 + ")" * 500])
def test_what_is_no_python_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not Python that can be read"):
        import_celery_python(text, "c.py")
