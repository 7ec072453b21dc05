"""Which workers may take the runs of a job."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.models.job import JobDefinition
from cronzimus.models.placement import Placement, Spread

PLAIN: dict[str, Any] = {"id": "a", "params": {"func": "m:f"}, "trigger": {"type": "manual"}}


def test_an_empty_placement_lets_everybody() -> None:
    empty = Placement()
    assert (empty.strategy, empty.worker, empty.labels, empty.spread) == (None, None, {}, Spread.ONE)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"spread": "shard"}, "shards: give a number"),
        ({"shards": 3}, "shards: give a number"),
        ({"spread": "shard", "shards": 1}, "greater than or equal to 2"),
        ({"spread": "broadcast", "worker": "w1"}, "a broadcast goes to every worker"),
        ({"strategy": "guess"}, "round_robin"),
        ({"labels": {"": "x"}}, "labels"),
        ({"worker": ""}, "at least 1"),
    ],
)
def test_placement_refuses_what_cannot_be(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Placement.model_validate(document)


def test_only_jobs_of_workers_choose_among_workers() -> None:
    with pytest.raises(ValidationError, match="needs runs_on: workers"):
        JobDefinition.model_validate({**PLAIN, "placement": {"worker": "w1"}})
    assert JobDefinition.model_validate({**PLAIN, "runs_on": "workers", "placement": {"worker": "w1"}}).gated


def test_parts_of_one_firing_do_not_wait_for_each_other() -> None:
    cut = {**PLAIN, "runs_on": "workers", "placement": {"spread": "broadcast"}}
    assert JobDefinition.model_validate(PLAIN).max_running == 1
    assert JobDefinition.model_validate(cut).max_running is None
