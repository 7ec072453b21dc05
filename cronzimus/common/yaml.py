"""The one door to YAML: plain data out and in, the place of every value kept, and nothing that could surprise.

Scalars follow the core schema of YAML 1.2, so `22:30`, `NO` and `2026-01-01` are text. Refused, each with its
place: repeated keys, anchors and aliases, tags, several documents, and whatever is too large or too deep.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from cronzimus.errors import ConfigError

MAX_BYTES: Final = 256 * 1024
MAX_NODES: Final = 10_000
MAX_DEPTH: Final = 64

# Text that needs no quotes: it begins with a letter and holds nothing that YAML could read as anything else.
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
# As much of a list or mapping is written on one line.
_INLINE: Final = 80

Place = tuple[int, int]
KeyPath = tuple[str | int, ...]

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMBERS: Final[tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...]] = (
    (re.compile(r"[-+]?[0-9]{1,4000}"), int),
    (re.compile(r"0o[0-7]+"), partial(int, base=0)),
    (re.compile(r"0x[0-9a-fA-F]+"), partial(int, base=0)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
)


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says, and where it says it."""

    data: Any
    source: str
    places: dict[KeyPath, Place]

    def where(self, path: KeyPath = ()) -> str:
        """`file:line:col` of the value at `path`, or of the nearest thing around it that the text holds."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.source}:{line}:{column}"

    def line(self, path: KeyPath) -> str:
        """`file:line` of the value at `path`."""
        return self.where(path).rpartition(":")[0]


def load(source: Path | str, *, name: str | None = None) -> Document:
    """Read a file (a Path) or a text (a str); ConfigError says `file:line:col: …` when it cannot be used."""
    label = name or (str(source) if isinstance(source, Path) else "<text>")
    raw = _read(source, label) if isinstance(source, Path) else source.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{label}: larger than {MAX_BYTES // 1024} kB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{label}:{line}:1: not UTF-8 text") from None
    return _Reader(label).read(text)


def _read(path: Path, label: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{label}: cannot be read: {error.strerror}") from None


@dataclass(slots=True)
class _Open:
    """A mapping or sequence not yet read to its end; `key` is the key that waits for its value, or empty."""

    path: KeyPath
    mapping: dict[str, Any] | None
    sequence: list[Any] = field(default_factory=list)
    key: str = ""


@dataclass(slots=True)
class _Reader:
    """Builds plain data from the stream of events, so that a bad text is refused where it turns bad."""

    source: str
    root: Any = None
    nodes: int = 0
    documents: int = 0
    stack: list[_Open] = field(default_factory=list)
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def read(self, text: str) -> Document:
        """The document, or a ConfigError at the first thing that is not allowed."""
        for event in self._events(text):
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                self._refuse_if(self.documents > 1, event, "a second document; one file holds one")
            elif isinstance(event, AliasEvent):
                self._refuse_if(True, event, f"alias '*{event.anchor}' is not allowed; write the value out")
            elif isinstance(event, NodeEvent):
                self._node(event)
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                self.stack.pop()
        return Document(self.root, self.source, self.places)

    def _events(self, text: str) -> Iterator[Event]:
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise ConfigError(f"{self.source}{place}: {error.problem or error.context}") from None
        except (YAMLError, ValueError, RecursionError) as error:
            raise ConfigError(f"{self.source}: not valid YAML: {str(error).splitlines()[0]}") from None

    def _node(self, event: NodeEvent) -> None:
        self.nodes += 1
        self._refuse_if(self.nodes > MAX_NODES, event, f"more than {MAX_NODES} values")
        self._refuse_if(event.anchor is not None, event, f"anchor '&{event.anchor}' is not allowed")
        tag = getattr(event, "tag", None)
        self._refuse_if(tag not in (None, "!"), event, f"tag '{tag}' is not allowed")
        parent = self.stack[-1] if self.stack else None
        if parent is not None and parent.mapping is not None and not parent.key:
            self._key(parent, parent.mapping, event)
        elif isinstance(event, ScalarEvent):
            self._attach(parent, event, self._scalar(event))
        else:
            self._refuse_if(len(self.stack) >= MAX_DEPTH, event, f"nested deeper than {MAX_DEPTH} levels")
            opened = _Open((), {} if isinstance(event, MappingStartEvent) else None)
            value = opened.sequence if opened.mapping is None else opened.mapping
            opened.path = self._attach(parent, event, value)
            self.stack.append(opened)

    def _key(self, parent: _Open, mapping: dict[str, Any], event: NodeEvent) -> None:
        key = str(getattr(event, "value", ""))
        self._refuse_if(key == "", event, "a key must be text")
        merge = key == "<<" and getattr(event, "style", None) is None
        self._refuse_if(merge, event, "merge key '<<' is not allowed")
        if key in mapping:
            first = self.places[(*parent.path, key)][0]
            self._refuse_if(True, event, f"key {key!r} appears twice (first on line {first})")
        parent.key = key
        self.places[(*parent.path, key)] = _place(event)

    def _attach(self, parent: _Open | None, event: NodeEvent, value: Any) -> KeyPath:
        if parent is None:
            self.root = value
            self.places[()] = _place(event)
            return ()
        if parent.mapping is None:
            path: KeyPath = (*parent.path, len(parent.sequence))
            self.places[path] = _place(event)
            parent.sequence.append(value)
            return path
        path, parent.mapping[parent.key] = (*parent.path, parent.key), value
        parent.key = ""
        return path

    def _scalar(self, event: ScalarEvent) -> Any:
        text = str(event.value)
        if event.style is not None or event.tag == "!":
            return text
        if text in _WORDS:
            return _WORDS[text]
        for pattern, convert in _NUMBERS:
            if pattern.fullmatch(text):
                number = convert(text)
                self._refuse_if(number in (math.inf, -math.inf), event, "a number this large is not allowed")
                return number
        return text

    def _refuse_if(self, wrong: bool, event: Event, why: str) -> None:
        if wrong:
            line, column = _place(event)
            raise ConfigError(f"{self.source}:{line}:{column}: {why}")


def _place(event: Event) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def dump(data: Any) -> str:
    """Plain data as YAML that `load` reads back as the same: block style, text quoted wherever it could mislead."""
    return "\n".join(_lines(data, "")) + "\n"


def _lines(data: Any, indent: str) -> Iterator[str]:
    if not isinstance(data, Mapping | list | tuple) or not data:
        yield f"{indent}{_inline(data)}"
        return
    pairs = data.items() if isinstance(data, Mapping) else ((None, item) for item in data)
    for key, value in pairs:
        head = f"{indent}-" if key is None else f"{indent}{_text(str(key))}:"
        if isinstance(value, Mapping | list | tuple) and value and not _fits(value):
            inner = list(_lines(value, f"{indent}  "))
            # The first line of a mapping in a list stands beside its dash.
            yield from [head, *inner] if key is not None else [f"{head} {inner[0].lstrip()}", *inner[1:]]
        else:
            yield f"{head} {_inline(value)}"


def _fits(value: Any) -> bool:
    """Whether a small list or mapping of single values reads better on one line."""
    items = value.values() if isinstance(value, Mapping) else value
    plain = not any(isinstance(item, Mapping | list | tuple) for item in items)
    return plain and len(_inline(value)) <= _INLINE


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(str(value))
    return json.dumps(value, default=str)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
