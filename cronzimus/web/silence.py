"""Silence for a chosen time: of an alert, or of what a rule finds."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import request

from cronzimus.errors import Fault, Invalid

# What a form may choose, and how it is said.
LENGTHS: Final[Mapping[str, str]] = {
    "1h": "1 hour",
    "8h": "8 hours",
    "24h": "24 hours",
    "72h": "3 days",
    "168h": "1 week",
}


def asked_silence() -> datetime | None:
    """Until when the form wants silence, None to end it; raises Invalid."""
    length = request.form.get("length")
    if length == "":
        return None
    if length is None or length not in LENGTHS:
        message = f"must be one of {', '.join(LENGTHS)}"
        raise Invalid(f"length: {message}", faults=(Fault("length", message),))
    return datetime.now(UTC) + timedelta(hours=int(length.removesuffix("h")))


def silence_in_words(what: str, until: datetime | None) -> str:
    """What was done, for the line that says it."""
    return f"{what} is silenced until {until:%Y-%m-%d %H:%M} UTC" if until else f"{what} is told again"
