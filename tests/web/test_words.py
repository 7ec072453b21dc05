"""Things in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.web import words

CRON = {"type": "cron", "expression": "30 2 * * *"}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"trigger": {"type": "interval", "seconds": 90}}, "Every 1 minute 30 seconds"),
        ({"trigger": CRON}, "At 02:30 every day"),
        ({"trigger": CRON, "timezone": "Europe/Berlin"}, "At 02:30 every day (Europe/Berlin)"),
        (
            {"trigger": {**CRON, "timezone": "Asia/Tokyo"}, "timezone": "Europe/Berlin"},
            "At 02:30 every day (Asia/Tokyo)",
        ),
        (
            {"trigger": [{"type": "interval", "hours": 1}, {"type": "manual"}]},
            "Every hour; Only when started by hand or by another job",
        ),
        ({"trigger": {"type": "sometimes"}}, "cannot be read"),
        ({"trigger": None}, "cannot be read"),
        ({}, "cannot be read"),
    ],
)
def test_trigger_in_words(document: dict[str, Any], told: str) -> None:
    assert words.trigger_in_words(document) == told


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (None, ""),
        (0, "0 ms"),
        (12.4, "12 ms"),
        (3400, "3.4 s"),
        (125_000, "2 min 5 s"),
        (100_800_000, "1 d 4 h"),
    ],
)
def test_duration(milliseconds: float | None, told: str) -> None:
    assert words.duration(milliseconds) == told


def test_pretty_masks_secrets() -> None:
    shown = words.pretty({"env": {"DSN": "postgresql://u:hunter22@db/x"}, "name": "Grüße"})
    assert "hunter22" not in shown and "Grüße" in shown


def test_utc_and_count_and_outcomes() -> None:
    assert words.utc(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == "2026-03-29 01:00:00 UTC"
    assert words.count(12345) == "12,345"
    assert words.outcomes(["success", "failed", "success"]) == "2 success, 1 failed"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"kind": "shell", "params": {"command": ["sleep", 9]}}, "sleep 9"),
        ({"kind": "http", "params": {"url": "http://host/x"}}, "GET http://host/x"),
        ({"kind": "sql", "params": {"statement": "VACUUM"}}, "VACUUM"),
        ({"params": {"func": "a.b:c"}}, "a.b:c"),
        ({}, ""),
    ],
)
def test_what_it_calls(document: dict[str, Any], told: str) -> None:
    assert words.what_it_calls(document) == told
