"""The timetable as documents, without what goes without saying."""

from collections.abc import Mapping
from typing import Any

import pytest

from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.services.export import Exporter
from tests.heart import FUNC, Heart, definition

FACTORY = JobFactory(allowed_functions=("cronzimus.controller",), timezone="Asia/Tokyo", misfire_grace=60.0)


def nothing_more(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document


def exported(heart: Heart, **document: Any) -> dict[str, Any]:
    heart.add("a", **document)
    return Exporter(heart.timetable).documents(nothing_more)["a"]


CRON = {"type": "cron", "expression": "0 2 * * *"}


@pytest.mark.parametrize(
    "document",
    [
        {"trigger": CRON},
        {"trigger": {"type": "cron", "second": 0, "minute": 0, "hour": "*/2"}},
        {"trigger": {"type": "interval", "minutes": 5, "jitter": 10}},
        {"trigger": [CRON, {"type": "manual"}]},
        {"trigger": CRON, "timezone": "Europe/Berlin"},
        {"trigger": CRON, "policy": {"max_attempts": 3, "overlap": "queue"}},
        {"trigger": CRON, "priority": 5, "tags": ["x"], "queue": "slow", "description": "hm"},
        {"trigger": CRON, "kind": "sql", "params": {"statement": "SELECT 1"}},
    ],
)
def test_what_was_said_is_said(heart: Heart, document: dict[str, Any]) -> None:
    assert exported(heart, **document) == {"params": {"func": FUNC}, **document}


def test_what_is_read_first_stands_first(heart: Heart) -> None:
    told = exported(heart, trigger=CRON, tags=["x"], description="hm", policy={"timeout": 5.0}, queue="slow")
    assert list(told) == ["description", "params", "trigger", "policy", "queue", "tags"]


def test_a_paused_job_says_so(heart: Heart) -> None:
    heart.add("a", trigger=CRON)
    heart.timetable.pause("a", by="me")
    assert Exporter(heart.timetable).documents(nothing_more)["a"]["paused"] is True


def test_the_defaults_are_those_of_the_installation(heart: Heart) -> None:
    """What equals the installation's default goes without saying; what equals the product's must be said."""
    base = {"params": {"func": FUNC}, "trigger": CRON}
    ours = {"id": "ours", **base}
    utc = {"id": "utc", **base, "timezone": "UTC", "policy": {"misfire_grace": 300.0}}
    for document in (ours, utc):
        heart.timetable.add(definition_of(FACTORY.from_document(document)), by="me")
    found = Exporter(heart.timetable).documents(FACTORY.with_defaults)
    assert found == {"ours": base, "utc": {**base, "timezone": "UTC", "policy": {"misfire_grace": 300.0}}}


def test_every_job_is_there(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronzimus.services.export._PAGE", 2)
    for number in range(5):
        heart.timetable.add(definition(f"j{number}", tags=["odd"] if number % 2 else []), by="me")
    exporter = Exporter(heart.timetable)
    assert list(exporter.documents(nothing_more)) == ["j0", "j1", "j2", "j3", "j4"]
    assert list(exporter.documents(nothing_more, tag="odd")) == ["j1", "j3"]
