"""Job documents as files hold them, with the place of every field."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cronzimus.common import yaml
from cronzimus.errors import ConfigError, Fault, Invalid

STDIN: Final = "-"

_DOCUMENT_START: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """One job's document, and where its fields are written."""

    document: dict[str, Any]
    where: Callable[[str], str]

    @property
    def name(self) -> str:
        """The job's id, or a dash where it has none."""
        return str(self.document.get("id", "-"))

    def blame(self, error: Invalid) -> Invalid:
        """The same error with the place of each fault, for somebody who has the file open."""
        faults = error.faults or (Fault("", error.message),)
        told = [f"{self.where(f.field)}: {f.field}{': ' * bool(f.field)}{f.message}" for f in faults]
        if len(told) == 1:
            return Invalid(told[0], code=error.code)
        first = f"{self.where('')}: {len(told)} faults in job {self.name}"
        return Invalid(first, code=error.code, faults=[Fault("", line) for line in told])


def read_documents(name: str) -> list[Written]:
    """Every job a file holds, `-` being standard input; Invalid says where it cannot be read.

    One document, several (YAML's `---`, JSON one after another), a list, or `jobs:` as in jobs.yaml.
    """
    found = [job for part in read_parts(name) for job in _jobs_in(part)]
    if not found:
        raise Invalid(f"{'<stdin>' if name == STDIN else name}: holds no job")
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file: what it says, and where."""

    data: Any
    where: Callable[[yaml.KeyPath], str]


def read_parts(name: str) -> list[Part]:
    """Every document of a file in YAML or JSON, `-` being standard input; Invalid says where it cannot be read."""
    text, label = text_of(name)
    read = _json_parts if _looks_like_json(name, text) else _yaml_parts
    try:
        return list(read(text, label))
    except ConfigError as error:
        raise Invalid(error.message) from None


def text_of(name: str) -> tuple[str, str]:
    """The text of a file, and what to call it."""
    label = "<stdin>" if name == STDIN else name
    try:
        raw = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return raw.decode("utf-8-sig"), label
    except OSError as error:
        raise Invalid(f"{label}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{label}: not UTF-8 text") from None


def _looks_like_json(name: str, text: str) -> bool:
    """Braces begin JSON as well as YAML in its flow style: the file's name decides first."""
    if name.endswith((".yaml", ".yml")):
        return False
    return name.endswith((".json", ".jsonl", ".ndjson")) or text.lstrip()[:1] in ("{", "[")


def _yaml_parts(text: str, label: str) -> Iterator[Part]:
    starts = [match.start() for match in _DOCUMENT_START.finditer(text)]
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        # Empty lines in front keep the line numbers those of the file.
        document = yaml.load("\n" * text.count("\n", 0, start) + text[start:end], name=label)
        if document.data is not None:
            yield Part(document.data, document.line)


def _json_parts(text: str, label: str) -> Iterator[Part]:
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    place = _skip_space(text, 0)
    while place < len(text):
        line = text.count("\n", 0, place) + 1
        try:
            data, end = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise Invalid(f"{label}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{label}:{line}: not valid JSON: {error}") from None
        yield Part(data, _always(f"{label}:{line}"))
        place = _skip_space(text, end)


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _always(place: str) -> Callable[[yaml.KeyPath], str]:
    return lambda _: place


def _jobs_in(part: Part) -> Iterator[Written]:
    """The document itself, the items of a list, or what stands under `jobs:`."""
    path: yaml.KeyPath = ()
    data = part.data
    if isinstance(data, dict) and "jobs" in data:
        path, data = ("jobs",), data["jobs"]
        if isinstance(data, dict):
            yield from (_job(part, (*path, name), document, id=name) for name, document in data.items())
            return
    if isinstance(data, list):
        yield from (_job(part, (*path, place), document) for place, document in enumerate(data))
    else:
        yield _job(part, path, data)


def _job(part: Part, path: yaml.KeyPath, document: Any, **given: str) -> Written:
    if not isinstance(document, dict):
        raise Invalid(f"{part.where(path)}: expected a job: a mapping with id, kind, params and trigger")
    return Written({**given, **document}, _places(part, path))


def _places(part: Part, path: yaml.KeyPath) -> Callable[[str], str]:
    def _where(field: str) -> str:
        keys = [int(key) if key.isdecimal() else key for key in field.split(".")] if field else []
        return part.where((*path, *keys))

    return _where


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} appears twice")
    return found


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not allowed")
