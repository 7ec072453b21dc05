"""`cronzimus audit`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.fakes import FakeHouse, an_event
from tests.cli.line import Line


def test_list(line: Line, house: FakeHouse) -> None:
    house.operating.audit.events = [an_event(), an_event(action="job.create", before=None, after={"id": "x"})]
    titles, first, second = line.out("audit", "list").splitlines()
    assert titles.split() == ["WHEN", "WHO", "DOOR", "FROM", "ACTION", "TARGET", "CHANGE", "REQUEST"]
    assert first.split()[2:7] == ["ann", "api", "192.0.2.7", "job.pause", "job/hourly"]
    assert 'status: "active" → "paused"' in first
    assert second.split()[5] == "job.create" and "→" not in second


def test_list_as_json(line: Line, house: FakeHouse) -> None:
    house.operating.audit.events = [an_event()] * 3
    page = line.json("audit", "list", "--limit", "2")
    assert page["total"] == 3 and page["items"][0]["after"] == {"status": "paused"}


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--actor", "ann"], {"actor": "ann"}),
        (["--action", "job", "--target", "job/a"], {"action": "job", "target": "job/a"}),
        (["--since", "2026-03-01"], {"since": datetime(2026, 3, 1, tzinfo=UTC)}),
        (["--until", "2026-03-01T01:00Z"], {"until": datetime(2026, 3, 1, 1, tzinfo=UTC)}),
    ],
)
def test_list_asks_for_what_was_filtered(
    line: Line, house: FakeHouse, words: list[str], asked: dict[str, Any]
) -> None:
    line.out("audit", "list", *words)
    assert {name: value for name, value in house.operating.audit.asked.items() if value is not None} == asked
