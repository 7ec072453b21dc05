"""Silence for a chosen time."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from cronzimus.errors import Invalid
from cronzimus.web.silence import LENGTHS, asked_silence, silence_in_words


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_that_is_offered_is_understood(app: Flask, length: str) -> None:
    with app.test_request_context(method="POST", data={"length": length}):
        until = asked_silence()
    hours = timedelta(hours=int(length[:-1]))
    assert until is not None and timedelta(0) <= datetime.now(UTC) + hours - until < timedelta(minutes=1)


def test_no_length_ends_it(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"length": ""}):
        assert asked_silence() is None


@pytest.mark.parametrize("length", ["2h", "1", "-1h", "for ever", None])
def test_no_other_length_is_taken(app: Flask, length: str | None) -> None:
    with app.test_request_context(method="POST", data={"length": length} if length else {}):
        with pytest.raises(Invalid, match="must be one of 1h, 8h") as refused:
            asked_silence()
    assert [fault.field for fault in refused.value.faults] == ["length"]


def test_what_was_done_in_words() -> None:
    until = datetime(2026, 3, 1, 8, 5, tzinfo=UTC)
    assert silence_in_words("job/a", until) == "job/a is silenced until 2026-03-01 08:05 UTC"
    assert silence_in_words("job/a", None) == "job/a is told again"
