"""What a failure is called on the terminal, and which exit code the command ends with."""

import sys
import traceback
from typing import Final

import click

from cronzimus.errors import ConfigError, CronzimusError, Invalid, Unavailable

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 69
CONFIGURATION: Final = 78
TIMED_OUT: Final = 124
INTERRUPTED: Final = 130
TERMINATED: Final = 143

MEANINGS: Final = {
    OK: "done",
    FAILED: "failed, or there are findings",
    USAGE: "wrong usage or input",
    UNAVAILABLE: "service or database does not answer",
    CONFIGURATION: "the configuration cannot be used",
    TIMED_OUT: "waited in vain",
    INTERRUPTED: "ended by Ctrl-C (SIGINT)",
    TERMINATED: "ended by SIGTERM",
}


class TimedOut(CronzimusError):
    """What was waited for did not happen in time."""

    code = "TIMED_OUT"


def exit_code_of(error: BaseException) -> int:
    """The exit code of a command that ended with `error`."""
    if isinstance(error, click.ClickException):
        return error.exit_code
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, TimedOut):
        return TIMED_OUT
    if isinstance(error, Unavailable):
        return UNAVAILABLE
    if isinstance(error, Invalid):
        return USAGE
    # A schema of another version is a ConfigError too, but no file or variable would cure it.
    return CONFIGURATION if isinstance(error, ConfigError) and error.code == ConfigError.code else FAILED


def lines_of(error: BaseException) -> list[str]:
    """What to say about `error`: one line, and one more for each fault the first does not tell."""
    if isinstance(error, click.UsageError):
        return [_usage(error)]
    if isinstance(error, click.ClickException):
        return [error.format_message()]
    if isinstance(error, CronzimusError):
        return _told(error)
    text = str(error).strip().partition("\n")[0]
    named = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return [f"unexpected {named} (--debug shows where)"]


def report(error: BaseException, *, debug: bool, secret: str | None = None) -> int:
    """Say on the error stream what went wrong; the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if debug:
        _say("".join(traceback.format_exception(error)).rstrip(), secret)
    if not isinstance(error, click.Abort):
        _say("cronzimus: " + "\n".join(lines_of(error)), secret)
    return exit_code_of(error)


def note(sentence: str) -> None:
    """Tell a person something that is no part of the answer."""
    click.echo(sentence, err=True)


def printable(text: str, *, keep: str = "") -> str:
    """The text with everything escaped that could move a terminal's cursor or change what is read."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def survive_any_text() -> None:
    """Let a stream that cannot show a character show its code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _usage(error: click.UsageError) -> str:
    message = error.format_message()
    if error.ctx is None:
        return message
    message = f"{message[:1].lower()}{message[1:]}" if message[:2].istitle() else message
    return f"{message.rstrip('.')} (see '{error.ctx.command_path} --help')"


def _told(error: CronzimusError) -> list[str]:
    """The message with the field it is about, and every fault that it does not tell."""
    if len(error.faults) == 1 and error.faults[0].message in error.message:
        field = error.faults[0].field
        return [error.message if field in error.message else f"{field}: {error.message}"]
    untold = [fault for fault in error.faults if fault.message not in error.message]
    return [error.message, *(f"  {fault.field}{': ' * bool(fault.field)}{fault.message}" for fault in untold)]


def _say(text: str, secret: str | None) -> None:
    if secret:
        text = text.replace(secret, "***")
    click.echo(printable(text, keep="\n"), err=True)
