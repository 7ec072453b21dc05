"""Environment variables: read, convert, check; and which environment this process runs in."""

import difflib
import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit


class EnvError(ValueError):
    """A variable is missing or holds what it cannot hold; the message names it."""


_TRUE = {"true": True, "yes": True, "on": True, "1": True}
_BOOLS = _TRUE | {"false": False, "no": False, "off": False, "0": False}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_ISO = re.compile(r"p(?:([\d.]+)w)?(?:([\d.]+)d)?(?:t(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s)?)?", re.ASCII)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'port'?` for the known word nearest to `word`, or nothing when none is near."""
    near = difflib.get_close_matches(word, [str(name) for name in known], n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def integer(text: str) -> int:
    """A whole number; `1e3`, `5.0` and `1_000` are refused."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ValueError("expected integer")
    return int(text)


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise ValueError("expected number")
    return value


def boolean(text: str) -> bool:
    """One of the accepted words for true or false, in any case."""
    try:
        return _BOOLS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"expected one of {', '.join(_BOOLS)}") from None


def words(text: str) -> list[str]:
    """A list: `a, b` or a JSON array."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return [item if isinstance(item, str) else json.dumps(item) for item in json.loads(text)]
    except ValueError:
        raise ValueError("expected a comma separated list or a JSON array") from None


def pairs(text: str) -> dict[str, str]:
    """Names and values: `zone=eu,gpu=yes`, or a JSON object."""
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError:
            raise ValueError("expected name=value, separated by commas, or a JSON object") from None
    named = [part.partition("=") for part in words(text)]
    for name, sign, _ in named:
        if not (sign and name.strip()):
            raise ValueError(f"expected name=value, separated by commas; {name or sign!r} is none")
    return {name.strip(): value.strip() for name, _, value in named}


def path(text: str) -> Path:
    """A file path; `~` is the home directory."""
    return Path(text).expanduser()


def url(text: str) -> str:
    """An absolute URL, kept as text: a scheme and something behind it."""
    parts = urlsplit(text.strip())
    if not parts.scheme or not (parts.netloc or parts.path.strip("/")) or "://" not in text:
        raise ValueError("expected a URL such as https://host/path")
    return text.strip()


def duration(text: str) -> float:
    """Seconds, from `1h30m`, `90s`, `PT5M` or plain seconds."""
    text = text.strip().lower()
    iso = _ISO.fullmatch(text) if re.search(r"\d", text) else None
    try:
        if iso:
            return sum(
                float(part) * _UNITS[unit] for part, unit in zip(iso.groups(), "wdhms", strict=True) if part
            )
        if _PART.sub("", text) == "" and text:
            return sum(float(part) * _UNITS[unit] for part, unit in _PART.findall(text))
        seconds = number(text)
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise ValueError("expected a duration such as 1h30m, 90s, PT5M or plain seconds")
    return seconds


_CONVERTERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    **{int: integer, float: number, bool: boolean, list: words, Path: path, str: str},
    **{"int": integer, "float": number, "bool": boolean, "list": words, "str": str},
    **{"path": path, "url": url, "duration": duration},
}


def lookup(name: str, environ: Mapping[str, str], *, file: bool = False) -> str | None:
    """The text of a variable; empty is unset. With `file`, `NAME_FILE` may name a file that holds it."""
    text, place = environ.get(name, ""), environ.get(f"{name}_FILE", "") if file else ""
    if text and place:
        raise EnvError(f"{name} and {name}_FILE are both set; keep one of them")
    if not place:
        return text or None
    try:
        return Path(place).expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise EnvError(f"{name}_FILE: cannot read {place}: {reason}") from None


def env(
    name: str,
    type: Any = str,
    *,
    default: Any = None,
    required: bool = False,
    choices: Collection[Any] = (),
    file: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Any:
    """The variable `name` as `type`: int, float, bool, list, Path, "url", "duration" or any callable.

    Unset or empty gives `default`, or an EnvError when `required`.
    """
    text = lookup(name, os.environ if environ is None else environ, file=file)
    if text is None:
        if required:
            raise EnvError(f"{name} is required and not set")
        return default
    return _checked(name, text, _CONVERTERS.get(type, type), choices)


def _checked(name: str, text: str, convert: Callable[[str], Any], choices: Collection[Any]) -> Any:
    try:
        value = convert(text)
    except ValueError as error:
        raise EnvError(f"{name}: {error}, got {text!r}") from None
    if choices and value not in choices:
        listed = ", ".join(str(choice) for choice in choices)
        hint = did_you_mean(text, [str(choice) for choice in choices])
        raise EnvError(f"{name}: expected one of {listed}, got {text!r}{hint}")
    return value


class _Current:
    """Lets `Env.current` be read from the class, afresh each time."""

    def __get__(self, instance: object, owner: type["Env"]) -> "Env":
        name, text = environment_variable(os.environ)
        try:
            return owner.named(text)
        except EnvError as error:
            raise EnvError(f"{name}: {error}") from None


class Env(StrEnum):
    """The environment a process runs in; `Env.current` asks the process environment."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    current = _Current()

    @classmethod
    def named(cls, text: str) -> "Env":
        """The environment of that name; `dev`, `stage` and `prod` are accepted."""
        word = text.strip().lower()
        try:
            return cls(_SHORT_FORMS.get(word, word))
        except ValueError:
            listed = ", ".join(cls)
            raise EnvError(f"expected one of {listed}, got {text!r}{did_you_mean(word, cls)}") from None


_SHORT_FORMS: Final = {"dev": "development", "stage": "staging", "prod": "production"}
ENVIRONMENT_VARIABLES: Final = ("CRONZIMUS_ENV", "ENVIRONMENT", "environment", "env")


def environment_variable(environ: Mapping[str, str]) -> tuple[str, str]:
    """The first variable that names the environment, with its text; `("", "development")` when none does."""
    for name in ENVIRONMENT_VARIABLES:
        if environ.get(name, "").strip():
            return name, environ[name]
    return "", Env.DEVELOPMENT.value
