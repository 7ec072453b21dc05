"""Where the runs of a job execute, what they take and what they wait for, as options of the command line."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final, TypeVar

import click

from cronzimus.cli.values import Label, Rate

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

# What the models allow, said again: a command must not load them to show its help.
STRATEGIES: Final = ("round_robin", "load_based", "task_type_affinity")
SPREADS: Final = ("one", "broadcast", "shard")

_PLACEMENT: Final = ("strategy", "worker", "spread", "shards")
_LIMITS: Final = ("mutex", "pool", "slots")


def with_options(command: Decorated, *options: Callable[[Decorated], Decorated]) -> Decorated:
    """Decorators read from the inside out; help shows them in the order written."""
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)


def placing_options(command: Decorated) -> Decorated:
    """The options of `placement`, `limits` and `depends_on`."""
    return with_options(
        command,
        click.option("--worker", metavar="ID", help="The only worker that may take its runs."),
        click.option(
            "--label", "labels", multiple=True, type=Label(), help="A label the worker must have; repeatable."
        ),
        click.option(
            "--strategy", type=click.Choice(STRATEGIES), help="How one of several workers is chosen."
        ),
        click.option(
            "--spread", type=click.Choice(SPREADS), help="One run, one on each worker, one for each shard."
        ),
        click.option("--shards", type=int, metavar="N", help="Into how many parts; for --spread shard."),
        click.option("--mutex", metavar="KEY", help="No two runs with the same key at one time."),
        click.option("--pool", metavar="NAME", help="The pool its slots are of."),
        click.option("--slots", type=int, metavar="N", help="Slots of the pool one run takes."),
        click.option(
            "--rate", type=Rate(), metavar="10/1m", help="At most so many starts in any stretch so long."
        ),
        click.option(
            "--after",
            multiple=True,
            metavar="JOB[:WHEN]",
            help="Runs after JOB: success, failure, always. Repeatable.",
        ),
    )


def placing_from(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document that these options set."""
    found = {"placement": _placement(options), "limits": _limits(options)}
    document: dict[str, Any] = {name: value for name, value in found.items() if value}
    if options.get("after"):
        document["depends_on"] = [_dependency(text) for text in options["after"] if text]
    return document


def _placement(options: Mapping[str, Any]) -> dict[str, Any]:
    placement = {name: options[name] for name in _PLACEMENT if options.get(name) is not None}
    labels = dict(options.get("labels") or ())
    return {**placement, "labels": labels} if labels else placement


def _limits(options: Mapping[str, Any]) -> dict[str, Any]:
    limits = {name: options[name] for name in _LIMITS if options.get(name) is not None}
    rate = options.get("rate")
    return limits if rate is None else {**limits, "rate": rate}


def _dependency(text: str) -> dict[str, str]:
    job, colon, when = text.partition(":")
    return {"job": job, "when": when} if colon else {"job": job}
