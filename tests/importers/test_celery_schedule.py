"""Celery's schedules in our words."""

import ast

import pytest

from cronzimus.importers.celery_schedule import (
    Unreadable,
    cron,
    document_of,
    every,
    interval,
    trigger_of,
    value_of,
)


def node(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("5", {"type": "interval", "seconds": 5}),
        ("2.5", {"type": "interval", "seconds": 2.5}),
        ("60 * 5", {"type": "interval", "seconds": 300}),
        ("60 + 30 / 2", {"type": "interval", "seconds": 75}),
        ("timedelta(1)", {"type": "interval", "days": 1}),
        ("datetime.timedelta(0, 90)", {"type": "interval", "seconds": 90}),
        ("timedelta(minutes=60 * 2)", {"type": "interval", "minutes": 120}),
        ("timedelta(milliseconds=1500)", {"type": "interval", "seconds": 1.5}),
        ("schedule(30)", {"type": "interval", "seconds": 30}),
        ("celery.schedules.crontab(minute=0)", {"type": "cron", "minute": "0", "hour": "*"}),
        ("crontab(minute='*/5, 7')", {"type": "cron", "minute": "*/5,7", "hour": "*"}),
    ],
)
def test_schedules_that_are_written_out(text: str, trigger: dict[str, object]) -> None:
    assert trigger_of(node(text)) == trigger


@pytest.mark.parametrize(
    "text",
    ["solar('dawn', 1, 2)", "MyOwn(5)", "schedule()", "True", "'5'", "EVERY", "5 - x", "1 / 0", "2 ** 99999"],
)
def test_schedules_that_are_not(text: str) -> None:
    with pytest.raises(Unreadable):
        trigger_of(node(text))


def test_parts_of_a_second_add_up() -> None:
    assert interval({"seconds": 1, "microseconds": 500_000}) == {"type": "interval", "seconds": 1.5}
    assert every(3.0) == {"type": "interval", "seconds": 3}
    assert cron({"month_of_year": "1", "hour": "*"}) == {
        "type": "cron",
        "minute": "*",
        "hour": "*",
        "month": "1",
    }


@pytest.mark.parametrize("text", ["f()", "x", "[1, y]", "b'bytes'", "1j", "lambda: 1", "f'{1}'"])
def test_values_that_are_computed_or_no_json(text: str) -> None:
    with pytest.raises(Unreadable, match="computed, not written out"):
        value_of(node(text))


def test_values_become_plain_data() -> None:
    assert value_of(node("{1: (True, None), 'b': {2, 1}}")) == {"1": [True, None], "b": [1, 2]}


def test_arguments_must_be_lists_and_mappings() -> None:
    with pytest.raises(Unreadable, match="args must be a list"):
        document_of("e", "m.f", {}, "UTC", 5, {}, {})
