"""What differs between two documents, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Turn(StrEnum):
    """What became of a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; `path` is dotted, `before` and `after` are None where there was nothing."""

    path: str
    change: Turn
    before: Any
    after: Any


def differences(before: Any, after: Any) -> tuple[Change, ...]:
    """Every field that differs, in order of their paths; of two equal documents none."""
    return tuple(_between(before, after, ""))


def _between(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from _member(before, after, name, f"{path}.{name}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _between(old, new, f"{path}.{place}".lstrip("."))
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Change(path, Turn.CHANGED, before, after)


def _member(before: Mapping[str, Any], after: Mapping[str, Any], name: str, path: str) -> Iterator[Change]:
    if name not in before:
        yield Change(path, Turn.ADDED, None, after[name])
    elif name not in after:
        yield Change(path, Turn.REMOVED, before[name], None)
    else:
        yield from _between(before[name], after[name], path)
