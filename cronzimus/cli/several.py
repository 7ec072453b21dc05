"""One verb on several things: each is tried, none is forgotten."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from cronzimus.cli.command import Session
from cronzimus.cli.failures import OK, exit_code_of, report
from cronzimus.cli.output import as_json, cell
from cronzimus.errors import CronzimusError, Unavailable

Thing = TypeVar("Thing")


def for_each(
    session: Session,
    things: Iterable[Thing],
    act: Callable[[Thing], Any],
    *,
    name: Callable[[Thing], str],
    say: Callable[[Any], None],
) -> int:
    """Do `act` to every thing, and go on when one is refused; the exit code of the first refusal.

    What came of each is said at once, or as one JSON document at the end. A service that does not answer
    ends it all: it would not answer to the next either.
    """
    items: list[Any] = []
    errors: list[dict[str, str]] = []
    code = OK
    for thing in things:
        try:
            items.append(act(thing))
        except Unavailable:
            raise
        except CronzimusError as error:
            report(error, debug=session.debug, secret=session.token)
            errors.append({"id": name(thing), "code": error.code, "message": error.message})
            code = code or exit_code_of(error)
        else:
            if not session.as_json:
                say(items[-1])
    if session.as_json:
        click.echo(as_json({"items": items, "errors": errors}))
    return code


def saying(done: str, called: str = "id") -> Callable[[Any], None]:
    """Say in two words what was done to an item; `called` is the field that names it."""
    return lambda item: click.echo(f"{done} {cell(item[called])}")
