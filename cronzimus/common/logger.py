"""One log for the whole process: our own lines and those of every library, in text or JSON, secrets masked.

The only door to loguru: other rooms call `get_logger(__name__)`.
"""

import json
import logging
import math
import os
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from loguru import logger as _loguru

from cronzimus.common.masking import mask, mask_dsn, register_secret
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
    "capture",
    "get_logger",
    "init_logger",
    "level_name",
    "log_context",
    "mask",
    "mask_dsn",
    "register_secret",
]

LevelName = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]
LEVELS: Final[tuple[LevelName, ...]] = get_args(LevelName)

_ALIASES: Final = {"WARN": "WARNING", "FATAL": "CRITICAL", "NOTICE": "INFO"}
_COLOURS: Final = {
    "TRACE": "2",
    "DEBUG": "36",
    "SUCCESS": "32",
    "WARNING": "33",
    "ERROR": "31",
    "CRITICAL": "1;31",
}
_FRAMES: Final = 30
_OWN_FIELDS: Final = frozenset({"ts", "level", "message", "logger", "exception"})
# Below these levels the libraries describe their own insides; each is one line per request or per wake-up.
_QUIET: Final = (
    "werkzeug",
    "apscheduler",
    "flask_apscheduler",
    "psycopg.pool",
    "alembic",
    "procrastinate",
    "asyncio",
)
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


@dataclass(slots=True)
class _Process:
    """What this process has set up; there is one log per process, so one of these."""

    arguments: tuple[object, ...] | None = None
    handlers: list[int] = field(default_factory=list)


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
    _process.arguments = arguments


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
        record["extra"]["_line"] = _json_line(record) if format == "json" else _text_line(record, coloured)
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
        sys.stderr.write(message)
        sys.stderr.flush()


def _wants_colour() -> bool:
    tty = sys.stderr is not None and sys.stderr.isatty()
    return tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _time(record: "Record") -> str:
    return (
        record["time"].astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    )


def _name(record: "Record") -> str:
    return str(record["extra"].get("logger") or record["name"])


def _extras(record: "Record") -> Mapping[str, Any]:
    return {name: value for name, value in record["extra"].items() if name not in ("logger", "_line")}


def _exception(record: "Record") -> str:
    """The traceback without values of variables, which may be secrets, and with bounded depth."""
    caught = record["exception"]
    if caught is None or caught.type is None:
        return ""
    return mask(
        "".join(traceback.format_exception(caught.type, caught.value, caught.traceback, limit=-_FRAMES))
    ).rstrip()


def _json_line(record: "Record") -> str:
    fields: dict[str, Any] = {"ts": _time(record), "level": record["level"].name, "logger": _name(record)}
    fields["message"] = mask(record["message"])
    for name, value in _extras(record).items():
        fields[f"extra_{name}" if name in _OWN_FIELDS else name] = _plain(value)
    if text := _exception(record):
        fields["exception"] = text
    return json.dumps(fields, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """`value` as JSON can carry it, masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return mask(str(value))


def _text_line(record: "Record", coloured: bool) -> str:
    level = f"{record['level'].name:<8}"
    if coloured and (colour := _COLOURS.get(record["level"].name)):
        level = f"\x1b[{colour}m{level}\x1b[0m"
    extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
    text = mask(record["message"] + extras)
    if trace := _exception(record):
        text += "\n" + trace
    return f"{_time(record)} {level} {_name(record)}: {_tame(text)}"


def _tame(text: str) -> str:
    """Continuation lines are indented and control characters shown, so that no message can forge a line."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]", lambda m: f"\\x{ord(m[0]):02x}", text).replace(
        "\n", "\n    "
    )


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
    logging.captureWarnings(True)


def capture(name: str) -> None:
    """Make the standard logger `name` write through this log only, whatever handlers it brought."""
    library = logging.getLogger(name)
    library.handlers.clear()
    library.propagate = True
