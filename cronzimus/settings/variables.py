"""What the environment says: the process's variables, `.env` below them, and files that hold secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cronzimus.settings.dotenv import Variable, parse
from cronzimus.settings.expand import expand
from cronzimus.settings.keys import keys
from cronzimus.settings.layers import Given
from cronzimus.settings.report import Report
from cronzimus.utils.env import EnvError, lookup

PREFIX: Final = "CRONZIMUS_"
API_TOKEN: Final = "CRONZIMUS_API_TOKEN"
# Variables known by other names than their key's.
WELL_KNOWN: Final = {"DATABASE_URL": "database.url", "LOG_LEVEL": "logging.level"}
_RESERVED: Final = frozenset({"CRONZIMUS_ENV", "CRONZIMUS_CONFIG_PATH", API_TOKEN, f"{API_TOKEN}_FILE"})


@dataclass(frozen=True, slots=True)
class Variables:
    """Variables of one place: the process, or the `.env` file with its lines."""

    values: Mapping[str, str]
    lines: Mapping[str, int] | None = None

    def origin(self, name: str) -> str:
        """Where `name` was set, for people."""
        if self.lines is None:
            return f"environment variable {name}"
        line = self.lines.get(name) or self.lines.get(f"{name}_FILE")
        return f".env:{line}, {name}"


def dotenv(process: Mapping[str, str], report: Report, path: Path = Path(".env")) -> Variables:
    """The variables of `.env`, references in them replaced; none when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return Variables({}, {})
    except (OSError, UnicodeError) as error:
        report.plain(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}")
        return Variables({}, {})
    found, faults = parse(text)
    for fault in faults:
        report.plain(f"{path}:{fault}")
    values: dict[str, str] = {}
    for name, variable in found.items():
        values[name] = _expanded(name, variable, {**values, **process}, report)
    return Variables(values, {name: variable.line for name, variable in found.items()})


def _expanded(name: str, variable: Variable, known: Mapping[str, str], report: Report) -> str:
    if variable.literal:
        return variable.value
    try:
        return str(expand(variable.value, known))
    except ValueError as error:
        report.fault(name, str(error), f".env:{variable.line}")
        return ""


def given(variables: Variables, report: Report) -> Iterator[Given]:
    """What the variables set: the well-known names first, so that CRONZIMUS_SECTION__KEY wins."""
    for name, dotted in WELL_KNOWN.items():
        yield from _one(name, dotted, variables, report)
    for name in sorted(variables.values):
        if name.startswith(PREFIX) and "__" in name:
            plain, dotted = _of_setting(name)
            if plain == name or plain not in variables.values:
                yield from _one(plain, dotted, variables, report)
        elif meant := _single_underscore(name, variables.values[name]):
            report.warnings.append(f"{variables.origin(name)}: not a setting; did you mean {meant}?")


def _of_setting(name: str) -> tuple[str, str]:
    """The variable and the key it sets; for a secret, `NAME_FILE` stands for `NAME`."""
    shorter = name.removesuffix("_FILE")
    key = keys().get(_dotted(shorter))
    if shorter != name and key is not None and key.secret:
        return shorter, key.path
    return name, _dotted(name)


def _dotted(name: str) -> str:
    return name.removeprefix(PREFIX).lower().replace("__", ".")


def _one(name: str, dotted: str, variables: Variables, report: Report) -> Iterator[Given]:
    key = keys().get(dotted)
    try:
        text = lookup(name, variables.values, file=key is not None and key.secret)
    except EnvError as error:
        report.plain(str(error), dotted)
        return
    if text is not None:
        yield Given(tuple(dotted.split(".")), text, variables.origin(name), literal=True)


def _single_underscore(name: str, value: str) -> str | None:
    """The variable that was meant by CRONZIMUS_SERVER_PORT. Kubernetes sets such ones itself: to tcp://…"""
    if not name.startswith(PREFIX) or name in _RESERVED or value.startswith("tcp://"):
        return None
    word = name.removeprefix(PREFIX).lower()
    meant = next((path for path in keys() if path.replace(".", "_") == word), None)
    return PREFIX + meant.upper().replace(".", "__") if meant else None


def api_token(variables: Variables, report: Report) -> dict[str, Any] | None:
    """The token of CRONZIMUS_API_TOKEN, which has every scope."""
    try:
        text = lookup(API_TOKEN, variables.values, file=True)
    except EnvError as error:
        report.plain(str(error), "api.auth.tokens")
        return None
    if text is None:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        report.plain(f"{API_TOKEN}: expected printable ASCII without spaces", "api.auth.tokens")
        return None
    if len(text) < 16:
        report.warnings.append(f"{API_TOKEN}: shorter than 16 characters; others can guess it")
    return {"name": API_TOKEN, "token": text, "scopes": ("read", "operate", "admin")}
