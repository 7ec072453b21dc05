"""What a delivery looks like on its way: nothing but the ids of its runs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID


def payload_of(run_ids: Sequence[UUID]) -> dict[str, Any]:
    """The ids as plain data."""
    return {"runs": [str(run_id) for run_id in run_ids]}


def run_ids_of(payload: dict[str, Any]) -> tuple[UUID, ...]:
    """The ids of a payload; ValueError when it is none."""
    runs = payload.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run_id, str) for run_id in runs):
        raise ValueError("it has no list of runs")
    return tuple(UUID(run_id) for run_id in runs)
