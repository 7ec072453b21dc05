"""One log for the whole process: our own lines and those of every library, in text or JSON, secrets masked.

The only door to loguru: other rooms call `get_logger(__name__)`.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from loguru import logger as _loguru

from cronzimus.common.log_text import json_line, name_of, run_text, text_line
from cronzimus.common.masking import mask, mask_dsn, register_secret
from cronzimus.common.streams import unrouted
from cronzimus.errors import ConfigError
from cronzimus.utils.env import did_you_mean

if TYPE_CHECKING:
    from loguru import Logger as Logger
    from loguru import Record
else:
    Logger = type(_loguru)

__all__ = [
    "LEVELS",
    "LevelName",
    "Logger",
    "Spoken",
    "capture",
    "get_logger",
    "init_logger",
    "init_relay",
    "level_name",
    "listen",
    "log_context",
    "mask",
    "mask_dsn",
    "register_secret",
    "repeat",
]

LevelName = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]
LEVELS: Final[tuple[LevelName, ...]] = get_args(LevelName)

_ALIASES: Final = {"WARN": "WARNING", "FATAL": "CRITICAL", "NOTICE": "INFO"}
# Below these levels the libraries describe their own insides; each is one line per request or per wake-up.
_QUIET: Final = (
    "werkzeug",
    "apscheduler",
    "flask_apscheduler",
    "psycopg.pool",
    "alembic",
    "asyncio",
    "celery.app",
)
# They tell every try of an outage, with its traceback; the engines of runs say once that there is one.
_MUTE: Final = ("procrastinate", "celery.worker", "celery.bootsteps", "kombu.transport")
_QUIET_CLIENTS: Final = ("urllib3", "httpx", "httpx2", "httpcore", "httpcore2", "hpack")
# Libraries that hang handlers on their own loggers and so would write past the intercept.
_SELF_HANDLED: Final = (
    "werkzeug",
    "gunicorn.error",
    "gunicorn.access",
    "alembic",
    "apscheduler",
    "flask_apscheduler",
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One record, as whoever listens gets it; `run_id` is the one its context or its logger carries."""

    level: LevelName
    logger: str
    text: str
    run_id: str | None


@dataclass(slots=True)
class _Process:
    """What this process has set up; there is one log per process, so one of these."""

    arguments: tuple[object, ...] | None = None
    level: LevelName = "INFO"
    handlers: list[int] = field(default_factory=list)
    listener: tuple[Callable[[Spoken], None], Callable[[str | None], bool]] | None = None
    listening: int | None = None


_process = _Process()


def get_logger(name: str) -> Logger:
    """The log under `name`, usually `__name__`."""
    return _loguru.bind(logger=name)


def log_context(**fields: object) -> AbstractContextManager[None]:
    """Within the block every line of this thread or task carries `fields`, such as job_id and run_id."""
    return _loguru.contextualize(**fields)


def level_name(text: str) -> LevelName:
    """The level of that name in any case; ValueError lists the levels when there is none."""
    word = text.strip().upper()
    word = _ALIASES.get(word, word)
    if word not in LEVELS:
        raise ValueError(f"expected one of {', '.join(LEVELS)}, got {text!r}{did_you_mean(word, LEVELS)}")
    return word


def listen(hear: Callable[[Spoken], None], wants: Callable[[str | None], bool]) -> None:
    """From now on `hear` gets every record above the level of the log that `wants`, told its run, asks for.

    Both are called on the thread that speaks and must not log. The process has one listener, the last one.
    """
    if _process.listener != (hear, wants):
        _process.listener = (hear, wants)
        _listen_again()


def repeat(level: LevelName, logger: str, text: str) -> None:
    """Say here what another process has said."""
    _loguru.bind(logger=logger).log(level, "{}", text)


def init_logger(
    level: str = "INFO",
    format: str = "text",
    file: str | os.PathLike[str] | None = None,
    rotation: str | None = None,
    retention: str | int | None = None,
) -> None:
    """Set up the process's log on the standard error stream and, when given, in `file`.

    Calling it again with the same values does nothing; with others it replaces its own sinks only.
    """
    arguments = (level, format, file, rotation, retention)
    if arguments == _process.arguments:
        return
    try:
        name = level_name(level)
    except ValueError as error:
        raise ConfigError(f"logging.level: {error}") from None
    if format not in ("text", "json"):
        raise ConfigError(f"logging.format: expected text or json, got {format!r}")
    _remove_sinks()
    _process.handlers.append(_add(_to_stderr, name, format, coloured=format == "text" and _wants_colour()))
    if file is not None:
        _add_file(name, format, file, rotation, retention)
    _intercept_stdlib(name)
    _process.arguments, _process.level = arguments, name
    _listen_again()


def init_relay(level: str, hear: Callable[[Spoken], None]) -> None:
    """Set up the log of a process that writes none itself: every record goes to `hear`."""
    _remove_sinks()
    _process.level = level_name(level)
    _intercept_stdlib(_process.level)
    listen(hear, lambda _: True)


def _listen_again() -> None:
    """Begin to listen at the level of the log."""
    if _process.listening is not None:
        _loguru.remove(_process.listening)
        _process.listening = None
    if _process.listener is None:
        return
    hear, wants = _process.listener

    def _heard(message: Any) -> None:
        record = message.record
        known: Any = record["level"].name
        level = known if known in LEVELS else _nearest(record["level"].no)
        hear(Spoken(level, name_of(record), run_text(record), record["extra"].get("run_id")))

    _process.listening = _loguru.add(
        _heard,
        level=_process.level,
        format=lambda _: "",
        filter=lambda record: wants(record["extra"].get("run_id")),
        colorize=False,
        backtrace=False,
        diagnose=False,
    )


def _nearest(number: int) -> LevelName:
    """The most serious level that is not above a level of the user's own."""
    return max(
        (name for name in LEVELS if _loguru.level(name).no <= number), key=LEVELS.index, default="TRACE"
    )


def _remove_sinks() -> None:
    _process.arguments = None
    for handler in (0, *_process.handlers):
        try:
            _loguru.remove(handler)
        except ValueError:  # 0 is loguru's own first sink: gone after the first call
            continue
    _process.handlers.clear()


def _add(sink: Any, level: str, format: str, *, coloured: bool = False, **more: Any) -> int:
    def _line(record: "Record") -> str:
        record["extra"]["_line"] = json_line(record) if format == "json" else text_line(record, coloured)
        return "{extra[_line]}\n"

    return _loguru.add(
        sink, level=level, format=_line, colorize=False, backtrace=False, diagnose=False, **more
    )


def _add_file(
    level: str, format: str, file: str | os.PathLike[str], rotation: str | None, retention: str | int | None
) -> None:
    more: dict[str, Any] = {
        "rotation": rotation,
        "retention": retention,
        "encoding": "utf-8",
        "errors": "backslashreplace",
    }
    try:
        _process.handlers.append(_add(file, level, format, **more))
    except OSError as error:
        raise ConfigError(f"logging.file: cannot write {os.fspath(file)}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"logging.rotation or logging.retention: {error}") from None


def _to_stderr(message: str) -> None:
    # Looked up at each line: test runners and daemons put another stream in its place.
    if sys.stderr is not None:
        stream = unrouted(sys.stderr)
        stream.write(message)
        stream.flush()


def _wants_colour() -> bool:
    tty = sys.stderr is not None and sys.stderr.isatty()
    return tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class _Intercept(logging.Handler):
    """Hands what libraries say through the standard library to the one log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on under its own logger's name."""
        try:
            level: str | int = record.levelname if record.levelname in LEVELS else record.levelno
            _loguru.bind(logger=record.name).opt(exception=record.exc_info).log(level, record.getMessage())
        except Exception:
            self.handleError(record)


def _intercept_stdlib(level: LevelName) -> None:
    root = logging.getLogger()
    ours = [handler for handler in root.handlers if isinstance(handler, _Intercept)]
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    if not ours:
        root.addHandler(_Intercept())
    root.setLevel(_loguru.level(level).no)
    for name in _SELF_HANDLED:
        capture(name)
    chatty = level in ("TRACE", "DEBUG")
    for name in (*_QUIET, *_QUIET_CLIENTS):
        logging.getLogger(name).setLevel(logging.INFO if chatty else logging.WARNING)
    for name in _MUTE:
        logging.getLogger(name).setLevel(logging.INFO if chatty else logging.CRITICAL + 1)
    logging.captureWarnings(True)


def capture(name: str) -> None:
    """Make the standard logger `name` write through this log only, whatever handlers it brought."""
    library = logging.getLogger(name)
    library.handlers.clear()
    library.propagate = True
