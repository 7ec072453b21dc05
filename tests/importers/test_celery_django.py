"""Dumps of django-celery-beat."""

from typing import Any

from cronzimus.importers.celery_django import import_dump, is_dump

APP = "django_celery_beat."


def row(model: str, pk: int, **fields: Any) -> dict[str, Any]:
    return {"model": f"{APP}{model}", "pk": pk, "fields": fields}


def task(pk: int, **fields: Any) -> dict[str, Any]:
    whole = {"name": f"task {pk}", "task": "shop.tasks.tick", "args": "[]", "kwargs": "{}", "enabled": True}
    return row("periodictask", pk, **{**whole, **fields})


DUMP = [
    row(
        "crontabschedule",
        1,
        minute="0",
        hour="4",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone="Asia/Tokyo",
    ),
    row("intervalschedule", 2, every=10, period="minutes"),
    row("clockedschedule", 3, clocked_time="2030-01-01T00:00:00Z"),
    row("solarschedule", 4, event="sunrise"),
    row("periodictasks", 1, last_update="2026-01-01T00:00:00Z"),
    task(1, crontab=1, kwargs='{"a": 1}', queue="slow", expire_seconds=60),
    task(2, interval=2, enabled=False, one_off=True, start_time="2026-01-01T00:00:00Z"),
    task(3, clocked=3),
    task(4, solar=4),
    task(5, interval=99),
    task(6),
    task(7, interval=2, args="not json"),
    {"model": "auth.user", "pk": 1, "fields": {}},
    "nonsense",
]


def test_a_dump_is_taken_over() -> None:
    found = import_dump(DUMP)
    first, second, third = found.documents
    assert (first["id"], first["timezone"], first["queue"]) == ("task-1", "Asia/Tokyo", "slow")
    assert first["trigger"] == {
        "type": "cron",
        "minute": "0",
        "hour": "4",
        "day_of_week": "*",
        "day": "*",
        "month": "*",
    }
    assert first["params"] == {"func": "shop.tasks:tick", "kwargs": {"a": 1}}
    assert first["policy"] == {"misfire_grace": 60.0}
    assert (second["paused"], second["trigger"]) == (
        True,
        {"type": "interval", "minutes": 10, "start_date": "2026-01-01T00:00:00Z"},
    )
    assert third["trigger"] == {"type": "date", "run_date": "2030-01-01T00:00:00Z"}


def test_every_row_has_its_note() -> None:
    found = import_dump(DUMP)
    assert len(found.notes) == len(DUMP)
    fates = [str(note.fate) for note in found.notes]
    assert fates == ["comment"] * 5 + ["job", "paused", "job"] + ["refused"] * 6
    said = [note.text for note in found.refused]
    assert said[0] == "task 4: solar: no schedule that is known here"
    assert said[1] == "task 5: its interval schedule 99 is not in the dump"
    assert said[2] == "task 6: it has no schedule"
    assert (
        said[3].startswith("task 7: Expecting value") and said[4] == said[5] == "no row of django-celery-beat"
    )
    assert "one_off" in found.notes[6].text


def test_a_dump_is_known_by_its_rows() -> None:
    assert is_dump(DUMP)
    assert not is_dump([{"model": "auth.user"}]) and not is_dump({}) and not is_dump([])
