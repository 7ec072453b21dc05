"""What a backfill may ask for, and how far one is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.backfill import Backfill, BackfillRequest, BackfillState, Was
from cronzimus.utils.ids import new_id

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def asked(**fields: Any) -> BackfillRequest:
    return BackfillRequest.model_validate({"job_id": "a", "from": "2026-11-01", "to": "2026-11-02", **fields})


def a_backfill(**fields: Any) -> Backfill:
    whole: dict[str, Any] = {
        "id": new_id(),
        "job_id": "a",
        "job_version": 1,
        "from_at": NOW,
        "to_at": NOW,
        "outcomes": ["all"],
        "max_running": 2,
        "reverse": False,
        "params": None,
        "state": BackfillState.RUNNING,
        "created_by": "me",
        "created_at": NOW,
        "updated_at": NOW,
        "ended_at": None,
        "total": 10,
        "done": 3,
        "failed": 1,
        "running": 2,
        "run_seconds": 4.0,
    }
    return Backfill(**{**whole, **fields})


@pytest.mark.parametrize(
    ("outcomes", "taken"),
    [
        (None, {Was.MISSING, Was.MISSED, Was.FAILED}),
        (["skipped", "coalesced"], {Was.SKIPPED, Was.COALESCED}),
        (["all"], set(Was) - {Was.OPEN, Was.OFF}),
    ],
)
def test_outcomes_say_which_instants_run(outcomes: list[str] | None, taken: set[Was]) -> None:
    request = asked(**({"outcomes": outcomes} if outcomes else {}))
    assert {was for was in Was if request.takes(was)} == taken


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "2026-10-01"},
        {"outcomes": []},
        {"outcomes": ["good"]},
        {"max_running": 0},
        {"max_running": 101},
        {"from": "yesterday"},
        {"speed": 1},
    ],
)
def test_what_no_backfill_can_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asked(**fields)


def test_progress_adds_up() -> None:
    backfill = a_backfill()
    assert (backfill.left, backfill.eta_seconds) == (4, 12.0)
    assert a_backfill(run_seconds=None).eta_seconds is None
    assert a_backfill(state=BackfillState.PAUSED).eta_seconds is None
