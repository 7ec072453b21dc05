"""A job's document made from options of the command line."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from cronzimus.cli.placing import placing_from, placing_options, with_options
from cronzimus.cli.values import Duration, KeyValue, iso, moment
from cronzimus.errors import Invalid

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

# What the models allow, said again: a command must not load them to show its help.
KINDS: Final = ("function", "shell", "http", "sql")
DST: Final = ("skip", "shift", "first", "second", "both")
OVERLAP: Final = ("allow", "skip", "queue", "replace")
CATCH_UP: Final = ("none", "latest", "all")
ISOLATION: Final = ("thread", "process")
RUNS_ON: Final = ("scheduler", "workers")

_PLAIN: Final = ("kind", "timezone", "description", "queue", "priority", "runs_on")
_POLICY: Final = ("max_attempts", "timeout", "overlap", "misfire_grace", "catch_up", "isolation")
_BOUNDS: Final = {"start": "start_date", "end": "end_date", "jitter": "jitter"}


def trigger_options(command: Decorated) -> Decorated:
    """When a job is due: the options of `jobs add`, `jobs update` and `next`."""
    return with_options(
        command,
        click.option("--every", multiple=True, type=Duration(), metavar="5s", help="Every so often."),
        click.option(
            "--cron", multiple=True, metavar='"0 2 * * *"', help="Cron text: 5 or 6 fields, or @daily."
        ),
        click.option("--at", multiple=True, metavar="ISO", help="Once: ISO 8601, or +10m from now."),
        click.option("--timezone", metavar="ZONE", help="Where wall times are read, such as Europe/Berlin."),
        click.option(
            "--dst", type=click.Choice(DST), help="Cron times that a clock change removes or repeats."
        ),
        click.option("--start", metavar="ISO", help="Not due before."),
        click.option("--end", metavar="ISO", help="Not due after."),
        click.option("--jitter", type=Duration(), help="Longest delay of a start."),
    )


def definition_options(command: Decorated) -> Decorated:
    """Everything else a job's document can say."""
    return with_options(
        command,
        click.option("--manual", is_flag=True, help="Never due; runs when it is started."),
        click.option("--func", metavar="MODULE:FUNCTION", help="The task function of a function job."),
        click.option("--kind", type=click.Choice(KINDS), help="What the job does; function if not said."),
        click.option(
            "--param", multiple=True, type=KeyValue(), help="A parameter; JSON, else text. Repeatable."
        ),
        click.option(
            "--overlap", type=click.Choice(OVERLAP), help="What to do while earlier runs are unfinished."
        ),
        click.option("--timeout", type=Duration(), help="How long one try may take."),
        click.option("--max-attempts", type=int, metavar="N", help="Tries in all."),
        click.option("--misfire-grace", type=Duration(), help="How late a firing may still start."),
        click.option("--catch-up", type=click.Choice(CATCH_UP), help="Which missed instants still run."),
        click.option("--isolation", type=click.Choice(ISOLATION), help="Where the function runs."),
        click.option("--runs-on", type=click.Choice(RUNS_ON), help="Which processes run it."),
        placing_options,
        click.option("--queue", metavar="NAME", help="The queue of its runs."),
        click.option("--priority", type=int, metavar="N", help="-100 to 100; higher goes first."),
        click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; repeatable."),
        click.option("--description", metavar="TEXT", help="What it is for."),
    )


def triggers_from(options: Mapping[str, Any]) -> dict[str, Any] | list[dict[str, Any]] | None:
    """The trigger the options describe, a list when there are several, None when there is none."""
    _refuse_what_has_no_trigger(options)
    bounds = {field: options.get(name) for name, field in _BOUNDS.items()}
    found = [{"type": "interval", "seconds": every, **bounds} for every in options.get("every") or ()]
    found += [
        {"type": "cron", "expression": text, "dst": options.get("dst"), **bounds}
        for text in options.get("cron") or ()
    ]
    found += [{"type": "date", "run_date": _date(at)} for at in options.get("at") or ()]
    found += [{"type": "manual"}] * bool(options.get("manual"))
    triggers = [{name: value for name, value in trigger.items() if value is not None} for trigger in found]
    if not triggers:
        return None
    return triggers[0] if len(triggers) == 1 else triggers


def document_from(options: Mapping[str, Any], *, kind: str | None = None) -> dict[str, Any]:
    """The fields of a document that the options set; `kind` is the job's when the options do not say it."""
    document = {name: options[name] for name in _PLAIN if options.get(name) is not None}
    if options.get("tags"):
        document["tags"] = [tag for tag in options["tags"] if tag]
    if params := _params(options, options.get("kind") or kind or "function"):
        document["params"] = params
    if policy := {name: options[name] for name in _POLICY if options.get(name) is not None}:
        document["policy"] = policy
    document |= placing_from(options)
    if (trigger := triggers_from(options)) is not None:
        document["trigger"] = trigger
    return document


def _params(options: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """For a function, --param names keyword arguments; for other kinds, what the kind needs."""
    given = dict(options.get("param") or ())
    func = options.get("func")
    if kind != "function":
        if func:
            raise Invalid(f"--func: names the function of a function job; a {kind} job has none")
        return given
    params = {"func": func} if func else {}
    return {**params, "kwargs": given} if given else params


def _date(text: str) -> str:
    """What counts from now becomes an instant; anything else is the service's to read, in the job's zone."""
    return iso(moment(text, "UTC", "--at")) if text.strip()[:1] in ("+", "-", "n") else text


def _refuse_what_has_no_trigger(options: Mapping[str, Any]) -> None:
    if options.get("dst") and not options.get("cron"):
        raise Invalid("--dst: belongs to --cron; no other trigger has times that a clock change moves")
    if not options.get("cron") and not options.get("every"):
        for name in _BOUNDS:
            if options.get(name) is not None:
                raise Invalid(f"--{name}: belongs to --every or --cron; give one of them with it")
