"""Triggers in a few words."""

from typing import Any

import pytest

from cronzimus.cli.words import length_in_words, triggers_in_words

EVERY_MINUTE = {"type": "interval", "minutes": 1}


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (EVERY_MINUTE, "every 1m"),
        ({"type": "interval", "weeks": 1, "seconds": 0.5}, "every 7d0.5s"),
        ({"type": "interval", "hours": 25}, "every 1d1h"),
        ({"type": "cron", "expression": "0 2 * * *"}, "cron 0 2 * * *"),
        ({"type": "cron", "expression": "@daily", "timezone": "Asia/Tokyo"}, "cron @daily (Asia/Tokyo)"),
        ({"type": "cron", "hour": 2, "minute": "*/5", "expression": None}, "cron minute=*/5 hour=2"),
        ({"type": "date", "run_date": "2026-03-01T12:00:00"}, "at 2026-03-01T12:00:00"),
        ({"type": "manual"}, "manual"),
        ([EVERY_MINUTE, {"type": "manual"}], "every 1m + manual"),
        ([], ""),
    ],
)
def test_triggers_in_words(trigger: Any, words: str) -> None:
    assert triggers_in_words(trigger) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0s"), (5, "5s"), (90, "1m30s"), (3600, "1h"), (90_061.5, "1d1h1m1.5s")]
)
def test_length_in_words(seconds: float, words: str) -> None:
    assert length_in_words(seconds) == words
