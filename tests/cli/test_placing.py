"""Where runs execute, what they take and wait for, made from options."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli import placing
from cronzimus.cli.placing import placing_from, placing_options
from cronzimus.models.job import JobDefinition
from cronzimus.models.placement import Spread, Strategy

PLAIN = {"id": "a", "params": {"func": "m:f"}, "trigger": {"type": "manual"}, "runs_on": "workers"}


def document_of(*words: str) -> dict[str, Any]:
    """What the options come to."""
    seen: dict[str, Any] = {}

    @click.command()
    @placing_options
    def probe(**options: Any) -> None:
        seen.update(placing_from(options))

    result = CliRunner().invoke(probe, words)
    assert result.exit_code == 0, result.output
    return seen


@pytest.mark.parametrize(("said", "known"), [(placing.STRATEGIES, Strategy), (placing.SPREADS, Spread)])
def test_choices_are_those_of_the_models(said: tuple[str, ...], known: Any) -> None:
    assert sorted(said) == sorted(known)


@pytest.mark.parametrize(
    ("words", "document"),
    [
        ([], {}),
        (
            ["--worker", "w1", "--label", "disk=fast", "--label", "zone=1", "--strategy", "load_based"],
            {
                "placement": {
                    "strategy": "load_based",
                    "worker": "w1",
                    "labels": {"disk": "fast", "zone": "1"},
                }
            },
        ),
        (["--spread", "shard", "--shards", "4"], {"placement": {"spread": "shard", "shards": 4}}),
        (
            ["--mutex", "tenant-{tenant}", "--pool", "db", "--slots", "2", "--rate", "10/1m"],
            {
                "limits": {
                    "mutex": "tenant-{tenant}",
                    "pool": "db",
                    "slots": 2,
                    "rate": {"limit": 10, "seconds": 60},
                }
            },
        ),
        (
            ["--after", "a", "--after", "b:failure"],
            {"depends_on": [{"job": "a"}, {"job": "b", "when": "failure"}]},
        ),
    ],
)
def test_options_become_fields_a_job_has(words: list[str], document: dict[str, Any]) -> None:
    assert document_of(*words) == document
    JobDefinition.model_validate(PLAIN | document)
