"""`cronzimus backfill`."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cronzimus.cli import backfill as module
from cronzimus.cli.backfill import OUTCOMES, STATES
from cronzimus.models.backfill import Backfill, BackfillState, Outcome
from tests.api.fakes import FakeHouse
from tests.api.fakes_time_off import FakeBackfills
from tests.cli.line import Line

START = "backfill start hourly --from 2026-03-01 --to 2026-03-02T12:00".split()


class Moving(FakeBackfills):
    """Each look finds another run done, until all are."""

    def get(self, backfill_id: UUID) -> Backfill:
        found = super().get(backfill_id)
        if found.done + found.failed == found.total:
            return found
        ahead = replace(found, done=found.done + 1, running=0)
        if ahead.done + ahead.failed == ahead.total:
            ahead = replace(ahead, state=BackfillState.DONE)
        self.stored[backfill_id] = ahead
        return ahead


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.001)


def test_choices_are_those_of_the_models() -> None:
    assert set(OUTCOMES) == set(Outcome) and set(STATES) == set(BackfillState)


def test_start_says_what_was_asked(line: Line, house: FakeHouse) -> None:
    said = line.out(*START, *"--only failed --only missed --max-running 3 --reverse --param day=1".split())
    assert "of hourly is running: 1 of 4 done, 1 failed, 1 running, 1 left" in said
    (asked,) = house.operating.backfills.asked
    assert asked.outcomes == ("failed", "missed") and asked.params == {"day": 1}
    assert (asked.max_running, asked.reverse) == (3, True)
    assert asked.begins == datetime(2026, 3, 1, tzinfo=UTC) and asked.ends.hour == 12


def test_dry_run_lists_instants(line: Line, house: FakeHouse) -> None:
    said = line.out(*START, "--dry-run").splitlines()
    assert said[1].split() == ["2026-03-01", "12:00:00Z", "missed"]
    assert said[-1] == "2 instants would run, in about 0:00:12" and house.operating.backfills.stored == {}


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (1, 1)])
def test_wait_ends_with_how_it_went(line: Line, house: FakeHouse, failed: int, code: int) -> None:
    house.operating.backfills = moving = Moving()
    put = moving.put

    def start(request: Any, *, by: str) -> Backfill:
        return put(total=5, failed=failed)

    moving.start = start  # type: ignore[method-assign]
    result = line(*START, "--wait")
    assert result.exit_code == code and f"is done: {5 - failed} of 5 done" in result.stdout


def test_list_show_and_turn(line: Line, house: FakeHouse) -> None:
    one = house.operating.backfills.put(params={"day": 1})
    assert "2/4" in line.out("backfill", "list", "--state", "running")
    assert line.json("backfill", "list", "--job", "other")["items"] == []
    shown = line.out("backfill", "show", one.id)
    assert "1 done, 1 failed, 1 running, 1 left" in shown and "time left" in shown
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert f"is {state}" in line.out("backfill", verb, one.id)
    assert "has ended already" in line.complaint("backfill", "resume", one.id, code=1)
