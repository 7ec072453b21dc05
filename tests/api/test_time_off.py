"""The documents of time off: what they describe, and what they refuse."""

import pytest

from cronzimus.api.time_off import (
    BackfillDocument,
    BlackoutDocument,
    CalendarDocument,
    blackout_of,
    calendar_of,
    request_of,
)
from cronzimus.errors import Invalid


def test_schemas_are_those_of_what_is_described() -> None:
    assert "countries" in CalendarDocument.model_json_schema()["properties"]
    assert {"from", "to", "tags"} <= BlackoutDocument.model_json_schema()["properties"].keys()
    assert {"from", "to", "dry_run"} <= BackfillDocument.model_json_schema()["properties"].keys()


def test_documents_become_what_they_describe() -> None:
    assert calendar_of({"id": "ours"}).document()["weekdays"] == []
    assert blackout_of({"id": "night", "start": "22:00", "end": "06:00"}).concerns("any", ())
    asked, dry_run = request_of({"job_id": "a", "from": "2026-01-01", "to": "2026-01-02", "dry_run": True})
    assert (asked.job_id, dry_run) == ("a", True)


def test_refusals_are_in_our_words() -> None:
    with pytest.raises(Invalid, match="did you mean 'weekdays'"):
        calendar_of({"id": "ours", "weekday": []})
    with pytest.raises(Invalid, match="true or false"):
        request_of({"dry_run": 1})
