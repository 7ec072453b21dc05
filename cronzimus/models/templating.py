"""The door to Jinja: a small language for texts in `params`, checked when a job is saved.

What a template may hold is a list and everything else is refused before anything runs: texts, the known names,
the filters below, `if`, `and`/`or`/`not`, comparisons and `~`. No call, no loop, no arithmetic, no assignment: so
the time it takes and the text it makes are bounded by its length.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from cronzimus.errors import Fault, Invalid
from cronzimus.models.dependency import name_of_input
from cronzimus.models.occasion import Occasion
from cronzimus.models.template_filters import FILTERS, check_filter, written
from cronzimus.utils.env import did_you_mean

LONGEST_TEMPLATE: Final = 16_384
LONGEST_TEXT: Final = 65_536

NAMES: Final = (
    "due_at",
    "data_interval_start",
    "data_interval_end",
    "previous_success_at",
    "run",
    "job",
    "params",
    "inputs",
)
_MEMBERS: Final = {"run": ("id",), "job": ("id",)}
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
_INSTANTS: Final = frozenset(NAMES[:4])
_BLOCK: Final = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Filter,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Concat,
)


def is_template(text: str) -> bool:
    """Whether there is anything to render in a text."""
    return "{{" in text or "{%" in text


def uses(text: str, name: str) -> bool:
    """Whether a template that was accepted speaks of a name."""
    return is_template(text) and any(found.name == name for found in _tree(text).find_all(nodes.Name))


def check_template(text: str, params: Iterable[str], inputs: Iterable[str] = ()) -> None:
    """Raise ValueError with a sentence unless the text can be rendered.

    `params` are the parameters it may use, `inputs` the jobs whose results it may use.
    """
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"a template must not be longer than {LONGEST_TEMPLATE} characters")
    known = {"params": tuple(params), "inputs": tuple(map(name_of_input, inputs))}
    try:
        for node in _walk(_tree(text)):
            _check_node(node, known)
        _template(text)  # last: the compiler would carry out what it can of `'a' * 10**9` at once
    except TemplateSyntaxError as error:
        raise ValueError(f"is no template: {error.message}") from None
    except (RecursionError, MemoryError, SyntaxError):
        raise ValueError("is no template: it is nested too deeply") from None


def without_templates(value: Any) -> Any:
    """The value with a plain `0` where its templates stand: what can be said of it before they are rendered."""
    if isinstance(value, str):
        return _BLOCK.sub("0", value) if is_template(value) else value
    if isinstance(value, Mapping):
        return {name: without_templates(item) for name, item in value.items()}
    return [without_templates(item) for item in value] if isinstance(value, list | tuple) else value


def rendered(text: str, names: Mapping[str, Any], field: str) -> str:
    """The text a template makes; raises Invalid TEMPLATE_FAILED naming the field, and never shows a value."""
    pieces, length = [], 0
    try:
        for piece in _template(text).generate(names):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_TEXT:
                raise _failed(field, f"makes a text of more than {LONGEST_TEXT} characters")
    except Invalid:
        raise
    except TemplateError as error:
        raise _failed(field, error.message or type(error).__name__) from None
    except Exception as error:
        raise _failed(field, f"{type(error).__name__}: {error}") from None
    return "".join(pieces)


def names_for(occasion: Occasion, params: Mapping[str, Any], hidden: Mapping[str, str]) -> dict[str, Any]:
    """What the templates of a run see; a `hidden` parameter says why it cannot be seen."""
    veiled = {name: StrictUndefined(hint=f"params.{name} {why}") for name, why in hidden.items()}
    return {
        "due_at": occasion.due_at,
        "data_interval_start": occasion.data_interval_start,
        "data_interval_end": occasion.data_interval_end,
        "previous_success_at": occasion.previous_success_at,
        "run": {"id": occasion.run_id},
        "job": {"id": occasion.job_id},
        "params": {**params, **veiled},
        "inputs": {name_of_input(job_id): result for job_id, result in occasion.inputs.items()},
    }


class _Environment(SandboxedEnvironment):
    """Values are data: a dot leads to a member of an object or to a part of an instant, never to a method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The member of that name."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, datetime) and attribute in _PARTS:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)


@lru_cache(maxsize=2048)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


@lru_cache(maxsize=2048)
def _tree(text: str) -> nodes.Template:
    return _ENVIRONMENT.parse(text)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _check_node(node: nodes.Node, given: Mapping[str, tuple[str, ...]]) -> None:
    if not isinstance(node, _ALLOWED):
        raise ValueError(
            f"a template cannot hold {_called(node)}; it has names, filters, if, and, or, not and ~"
        )
    if isinstance(node, nodes.Name) and node.name not in NAMES:
        raise ValueError(f"there is no {node.name!r}{did_you_mean(node.name, NAMES)}")
    if isinstance(node, nodes.Getattr):
        _check_path(node, given)
    if isinstance(node, nodes.Filter):
        _check_filter(node)


def _check_path(node: nodes.Getattr, given: Mapping[str, tuple[str, ...]]) -> None:
    path = _path(node)
    root, names = path[0], path[1:]
    if any(name.startswith("_") for name in names):
        raise ValueError(f"there is no {'.'.join(path)}")
    plain = _PARTS if root in _INSTANTS else _MEMBERS.get(root, ())
    known = given.get(root, plain)
    if names[0] not in known or (root not in given and len(names) > 1):
        raise ValueError(f"there is no {'.'.join(path)}{did_you_mean(names[0], known)}")


def _path(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        return [*_path(node.node), node.attr]
    raise ValueError("a dot may only follow a name")


def _check_filter(node: nodes.Filter) -> None:
    values = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
    if node.kwargs or node.dyn_args or node.dyn_kwargs or len(values) < len(node.args):
        raise ValueError(f"filter {node.name}: takes values written out, such as {node.name}('...')")
    check_filter(node.name, values)


def _called(node: nodes.Node) -> str:
    names = {
        nodes.Call: "a call",
        nodes.For: "a loop",
        nodes.Getitem: "square brackets",
        nodes.Test: "a test",
    }
    return names.get(type(node), f"{type(node).__name__.lower()}")


def _failed(field: str, reason: str) -> Invalid:
    message = f"{field}: the template {reason}" if reason.startswith("makes") else f"{field}: {reason}"
    return Invalid(message, code="TEMPLATE_FAILED", faults=[Fault(field, reason)])


def _or_default(value: Any, otherwise: Any) -> Any:
    return FILTERS["default"](None if isinstance(value, StrictUndefined) else value, otherwise)


def _new_environment() -> SandboxedEnvironment:
    environment = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.globals.clear()
    environment.tests = {}
    environment.filters = {**FILTERS, "default": _or_default}
    environment.finalize = written
    return environment


_ENVIRONMENT: Final = _new_environment()
