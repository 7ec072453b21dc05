"""The keys of the settings tree as a list: for conversion, for hints, for the documentation."""

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, Secret, SecretStr
from pydantic.fields import FieldInfo

from cronzimus.settings.tree import OUTSIDE_DEVELOPMENT, Settings
from cronzimus.settings.types import Section
from cronzimus.utils.env import boolean, did_you_mean, integer, number, pairs, words

_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    tuple: "list",
    dict: "map",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set: `path` is dotted, `[]` stands for the items of a list."""

    path: str
    kinds: tuple[type, ...]
    choices: tuple[str, ...]
    nullable: bool
    required: bool
    secret: bool
    default: Any
    description: str
    of_objects: bool = False

    @property
    def is_map(self) -> bool:
        """Whether it holds values under names that are the operator's own."""
        return dict in self.kinds

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return " or ".join(_NAMES[kind] for kind in self.kinds)

    def convert(self, text: str) -> Any:
        """The value that `text` stands for; ValueError when it stands for none."""
        if self.nullable and text.strip().lower() in ("", "null", "none"):
            return None
        if bool in self.kinds:
            return boolean(text)
        if int in self.kinds and str not in self.kinds:
            return integer(text)
        if float in self.kinds:
            return number(text)
        if self.is_map:
            return pairs(text)
        return self._items(text) if tuple in self.kinds else text

    def _items(self, text: str) -> tuple[Any, ...]:
        """A list of texts, or of what a JSON array holds when the items are more than text."""
        if not self.of_objects:
            return tuple(words(text))
        try:
            items = json.loads(text)
        except ValueError:
            raise ValueError("expected a JSON array") from None
        return tuple(items) if isinstance(items, list) else (items,)


@cache
def keys() -> Mapping[str, Key]:
    """Every key by its path, in the order of the documentation."""
    return {key.path: key for key in _walk(Settings, "")}


@cache
def sections() -> frozenset[str]:
    """The paths that hold keys: `server`, `api`, `api.auth` and so on."""
    parents = frozenset(path.rpartition(".")[0] for path in keys() if "." in path)
    return frozenset(path for path in parents if not path.endswith("[]"))


def hint(path: str) -> str:
    """`; did you mean 'port'?` for an unknown path: the nearest name on the same level, then anywhere."""
    parent, _, name = path.rpartition(".")
    level = {
        known.rpartition(".")[2] for known in (*keys(), *sections()) if known.rpartition(".")[0] == parent
    }
    near = did_you_mean(name, level)
    if near:
        return near
    elsewhere = [known for known in keys() if known.rpartition(".")[2] == name]
    return f"; did you mean {elsewhere[0]!r}?" if elsewhere else did_you_mean(path, keys())


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from _walk(kind, f"{path}.")
            continue
        yield _key(path, info)
        for item in get_args(kind):
            if isinstance(item, type) and issubclass(item, Section):
                yield from _walk(item, f"{path}[].")


def _key(path: str, info: FieldInfo) -> Key:
    members = _members(info.annotation)
    choices = tuple(
        str(word) for member in members if get_origin(member) is Literal for word in get_args(member)
    )
    return Key(
        path=path,
        kinds=tuple(dict.fromkeys(_kind(member) for member in members if member is not types.NoneType)),
        choices=choices,
        nullable=types.NoneType in members,
        required=info.is_required(),
        secret=any(isinstance(member, type) and issubclass(member, Secret | SecretStr) for member in members),
        default=None if info.is_required() else _shown(info.default),
        description=info.description or "",
        of_objects=any(_is_object(item) for item in get_args(info.annotation)),
    )


def _shown(default: Any) -> Any:
    return str(default) if isinstance(default, Secret) else default


def _is_object(item: Any) -> bool:
    """Whether the items of a list are more than text."""
    return get_origin(item) is dict or (isinstance(item, type) and issubclass(item, Section))


def _members(annotation: Any) -> tuple[Any, ...]:
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return tuple(get_args(part)[0] if get_origin(part) is Annotated else part for part in parts)


def _kind(member: Any) -> type:
    if (origin := get_origin(member)) in (tuple, dict):
        return cast(type, origin)
    return member if member in (bool, int, float) else str


def outside_development(path: str) -> tuple[bool, Any]:
    """Whether `path` has another default outside development, and which."""
    section, _, name = path.rpartition(".")
    defaults = OUTSIDE_DEVELOPMENT.get(section, {})
    return name in defaults, defaults.get(name)
