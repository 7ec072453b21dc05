"""One layer of settings: keys known, references replaced, texts converted, each value with its origin."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cronzimus.common.masking import mask_dsn
from cronzimus.common.yaml import KeyPath
from cronzimus.settings.expand import expand
from cronzimus.settings.files import Source
from cronzimus.settings.keys import Key, hint, keys, sections
from cronzimus.settings.report import Report, shown
from cronzimus.settings.tree import Settings

_SECRETS_IN_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "api.auth.tokens": ("token",),
    "alerts.channels": ("secret", "password"),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value and where it came from; merging never looks inside."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody wrote it, under the path they wrote."""

    path: tuple[str, ...]
    value: Any
    origin: str
    literal: bool = False

    @property
    def dotted(self) -> str:
        """The path as people write it."""
        return ".".join(self.path)


def layer(given: Iterable[Given], variables: Mapping[str, str], report: Report) -> dict[str, Any]:
    """Nested maps of leaves; what cannot be used becomes a fault and is left out."""
    result: dict[str, Any] = {}
    unknown: set[str] = set()
    for one in given:
        key = keys().get(one.dotted)
        if one.dotted in sections():
            report.fault(one.dotted, f"expected a mapping of its keys, got {shown(one.value)}", one.origin)
        elif key is None:
            part, sentence = _unknown(one)
            if part not in unknown:
                unknown.add(part)
                report.fault(part, sentence, one.origin)
        else:
            _put(result, one, key, variables, report)
    return result


def of_file(source: Source, report: Report) -> Iterator[Given]:
    """What a file gives, except its jobs."""
    settings = {name: value for name, value in source.data.items() if name != "jobs"}
    for given in _flat(settings, (), source.where):
        if given.path == ("environment",):
            report.fault(
                "environment", "is chosen by --environment or CRONZIMUS_ENV, not in a file", given.origin
            )
            continue
        if _written_out(given):
            sentence = f"{given.dotted} holds a secret; keep it in the environment and write ${{NAME}}"
            report.warnings.append(f"{given.origin}: {sentence}")
        yield given


def of_mapping(values: Mapping[str, Any], origin: str) -> Iterator[Given]:
    """What a caller gives, nested or under dotted names; None means not given."""
    for name, value in values.items():
        path = tuple(name.split("."))
        nested = isinstance(value, Mapping)
        inner = _flat(value, path, lambda _: origin) if nested else [Given(path, value, origin)]
        yield from (replace(one, literal=True) for one in inner if one.value is not None)


def _flat(
    values: Mapping[str, Any], prefix: tuple[str, ...], where: Callable[[KeyPath], str]
) -> Iterator[Given]:
    for name, value in values.items():
        path = (*prefix, str(name))
        is_section, key = ".".join(path) in sections(), keys().get(".".join(path))
        if isinstance(value, Mapping) and (value or is_section) and not (key and key.is_map):
            yield from _flat(value, path, where)
        elif value is not None or not is_section:  # the keys of a section may all be commented out
            yield Given(path, value, where(path))


def _unknown(given: Given) -> tuple[str, str]:
    """The part of the path that is unknown, and what to say of it."""
    parts = [".".join(given.path[:length]) for length in range(1, len(given.path) + 1)]
    value = next((part for part in parts if part in keys()), None)
    if value is not None:
        return given.dotted, f"{value} is a value, not a section"
    part = next(part for part in parts if part not in sections())
    if part == given.dotted and "." in part:
        return part, f"unknown key{hint(part)}"
    near = hint(part) or f"; there are {', '.join(Settings.model_fields)}"
    return part, f"unknown section{near}" if "." not in part else f"unknown key{near}"


def _put(result: dict[str, Any], one: Given, key: Key, variables: Mapping[str, str], report: Report) -> None:
    value = one.value
    try:
        if not one.literal:
            value = expand(value, variables)
        if isinstance(value, str):
            value = key.convert(value)
    except ValueError as error:
        got = f", got {shown(value)}" if isinstance(value, str) and str(error).startswith("expected") else ""
        report.fault(one.dotted, f"{error}{'' if key.secret else got}", one.origin)
        return
    for section in one.path[:-1]:
        result = result.setdefault(section, {})
    result[one.path[-1]] = Leaf(_tuples(value), one.origin)


def _tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value


def _written_out(given: Given) -> bool:
    """Whether a file spells out a secret instead of referring to the environment."""
    if given.dotted in ("database.url", "message_queue.url"):
        return (
            isinstance(given.value, str) and "$" not in given.value and mask_dsn(given.value) != given.value
        )
    names = _SECRETS_IN_LISTS.get(given.dotted, ())
    items = given.value if names and isinstance(given.value, list) else ()
    secrets = [item.get(name) for item in items if isinstance(item, Mapping) for name in names]
    return any(isinstance(secret, str) and "$" not in secret for secret in secrets)
