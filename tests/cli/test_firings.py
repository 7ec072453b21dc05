"""`cronzimus firings`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.cli.firings import DECISIONS, REASONS
from cronzimus.models.firing import Decision, Reason
from tests.api.fakes import FakeHouse, a_firing
from tests.cli.line import Line


def test_choices_are_those_of_the_models() -> None:
    assert set(DECISIONS) == set(Decision) and set(REASONS) == set(Reason)


def test_list(line: Line, house: FakeHouse) -> None:
    skipped = a_firing("nightly", decision=Decision.SKIPPED, reason=Reason.PAUSED, run_id=None, instants=4)
    house.history.ledger = [a_firing(), skipped]
    titles, first, second = line.out("firings", "list").splitlines()
    assert titles.split() == ["DUE", "JOB", "DECISION", "REASON", "INSTANTS", "RUN", "BY", "EPOCH", "NOTE"]
    assert first.startswith("2026-03-01 12:00:00Z  hourly   fired     -       1")
    assert second.split()[2:] == ["nightly", "skipped", "paused", "4", "-", "replica", "3", "-"]


def test_list_as_json(line: Line, house: FakeHouse) -> None:
    house.history.ledger = [a_firing()] * 3
    page = line.json("firings", "list", "--limit", "2")
    assert page["total"] == 3 and page["items"][0]["decision"] == "fired"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--job", "nightly"], {"job_id": "nightly"}),
        (["--decision", "skipped", "--reason", "overlap"], {"decision": "skipped", "reason": "overlap"}),
        (["--since", "2026-03-01"], {"since": datetime(2026, 3, 1, tzinfo=UTC)}),
        (["--until", "2026-03-01T01:00Z"], {"until": datetime(2026, 3, 1, 1, tzinfo=UTC)}),
    ],
)
def test_list_filters(words: list[str], asked: dict[str, Any], line: Line, house: FakeHouse) -> None:
    assert line("firings", "list", *words).stderr == "no firings\n"
    assert {name: value for name, value in house.history.asked.items() if value is not None} == asked


@pytest.mark.parametrize("words", [["--decision", "maybe"], ["--reason", "x"], ["--since", "x"]])
def test_list_refuses(words: list[str], line: Line, house: FakeHouse) -> None:
    assert words[0] in line.complaint("firings", "list", *words, code=2)
