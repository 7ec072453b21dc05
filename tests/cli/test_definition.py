"""A job's document made from options."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from cronzimus.cli import definition
from cronzimus.cli.definition import definition_options, document_from, trigger_options, triggers_from
from cronzimus.errors import Invalid
from cronzimus.models.cron_dst import DstPolicy
from cronzimus.models.job import JobDefinition, RunsOn
from cronzimus.models.kinds import Kind
from cronzimus.models.policy import CatchUp, Isolation, Overlap


def options_of(*words: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    @click.command()
    @trigger_options
    @definition_options
    def probe(**options: Any) -> None:
        seen.update(options)

    result = CliRunner().invoke(probe, words)
    assert result.exit_code == 0, result.output
    return seen


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (definition.KINDS, Kind),
        (definition.DST, DstPolicy),
        (definition.OVERLAP, Overlap),
        (definition.CATCH_UP, CatchUp),
        (definition.ISOLATION, Isolation),
        (definition.RUNS_ON, RunsOn),
    ],
)
def test_choices_are_those_of_the_models(said: tuple[str, ...], known: Any) -> None:
    assert sorted(said) == sorted(known)


@pytest.mark.parametrize(
    ("words", "trigger"),
    [
        (["--every", "5s"], {"type": "interval", "seconds": 5}),
        (["--every", "1h30m", "--jitter", "10"], {"type": "interval", "seconds": 5400, "jitter": 10}),
        (["--cron", "@daily"], {"type": "cron", "expression": "@daily"}),
        (
            ["--cron", "0 2 * * *", "--dst", "both"],
            {"type": "cron", "expression": "0 2 * * *", "dst": "both"},
        ),
        (
            ["--every", "1m", "--start", "2026-01-01", "--end", "2027-01-01"],
            {"type": "interval", "seconds": 60, "start_date": "2026-01-01", "end_date": "2027-01-01"},
        ),
        (["--at", "2026-03-01T12:00"], {"type": "date", "run_date": "2026-03-01T12:00"}),
        (["--manual"], {"type": "manual"}),
        (
            ["--cron", "@daily", "--cron", "@hourly", "--every", "1m"],
            [
                {"type": "interval", "seconds": 60},
                {"type": "cron", "expression": "@daily"},
                {"type": "cron", "expression": "@hourly"},
            ],
        ),
        ([], None),
    ],
)
def test_triggers_from(words: list[str], trigger: Any) -> None:
    assert triggers_from(options_of(*words)) == trigger


def test_a_date_may_count_from_now() -> None:
    trigger = triggers_from(options_of("--at", "+10m"))
    assert isinstance(trigger, dict) and trigger["run_date"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--every", "5s", "--dst", "both"], "--dst: belongs to --cron"),
        (["--jitter", "5"], "--jitter: belongs to --every or --cron"),
        (["--at", "2026-01-01", "--end", "2027-01-01"], "--end: belongs to"),
        (["--manual", "--start", "2027-01-01"], "--start: belongs to"),
        (["--at", "+soon"], "--at: expected now"),
    ],
)
def test_options_without_their_trigger_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        triggers_from(options_of(*words))


@pytest.mark.parametrize(
    ("words", "document"),
    [
        ([], {}),
        (["--timezone", "Europe/Berlin"], {"timezone": "Europe/Berlin"}),
        (["--func", "a:b"], {"params": {"func": "a:b"}}),
        (["--func", "a:b", "--param", "n=5"], {"params": {"func": "a:b", "kwargs": {"n": 5}}}),
        (["--param", "n=5"], {"params": {"kwargs": {"n": 5}}}),
        (
            ["--kind", "sql", "--param", "statement=SELECT 1"],
            {"kind": "sql", "params": {"statement": "SELECT 1"}},
        ),
        (["--tag", "a", "--tag", "b"], {"tags": ["a", "b"]}),
        (["--tag", ""], {"tags": []}),
        (["--description", ""], {"description": ""}),
        (["--priority", "0", "--queue", "q"], {"queue": "q", "priority": 0}),
        (["--runs-on", "workers"], {"runs_on": "workers"}),
        (
            ["--max-attempts", "3", "--timeout", "1m", "--overlap", "queue", "--misfire-grace", "0"],
            {"policy": {"max_attempts": 3, "timeout": 60, "overlap": "queue", "misfire_grace": 0}},
        ),
        (
            ["--catch-up", "all", "--isolation", "process"],
            {"policy": {"catch_up": "all", "isolation": "process"}},
        ),
    ],
)
def test_document_from(words: list[str], document: dict[str, Any]) -> None:
    assert document_from(options_of(*words)) == document


def test_parameters_depend_on_what_the_job_is() -> None:
    assert document_from(options_of("--param", "url=http://h"), kind="http") == {
        "params": {"url": "http://h"}
    }
    assert document_from(options_of("--param", "n=1"), kind="function") == {"params": {"kwargs": {"n": 1}}}


def test_only_functions_have_a_function() -> None:
    with pytest.raises(Invalid, match="--func: names the function of a function job; a shell job has none"):
        document_from(options_of("--kind", "shell", "--func", "a:b"))


def test_every_option_reaches_the_models() -> None:
    words = ["--func", "a:b", "--cron", "@daily", "--timezone", "UTC", "--dst", "skip", "--jitter", "1s"]
    words += ["--overlap", "skip", "--timeout", "1m", "--max-attempts", "2", "--misfire-grace", "1m"]
    words += ["--catch-up", "none", "--isolation", "thread", "--runs-on", "scheduler", "--queue", "q"]
    words += ["--priority", "1", "--tag", "t", "--description", "d", "--param", "a=1"]
    job = JobDefinition.model_validate({"id": "x", **document_from(options_of(*words))})
    assert (job.policy.max_attempts, job.timezone, job.tags, job.call[1]) == (2, "UTC", ("t",), {"a": 1})
