"""From an import path to a function that may be called: found, allowed, and given what it asks for."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from inspect import Parameter
from types import ModuleType
from typing import Any

from cronzimus.errors import Fault, Invalid
from cronzimus.utils.env import did_you_mean

INJECTED = ("db", "run", "inputs")

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class TaskFunction:
    """A function and what its signature says; `positional` and `named` leave nothing out."""

    path: str
    function: Callable[..., Any]
    positional: tuple[str, ...]
    named: frozenset[str]
    required: frozenset[str]
    takes_any_args: bool
    takes_any_kwargs: bool
    injected: frozenset[str]

    def call(self, args: Sequence[Any], kwargs: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        """Call it with the job's arguments and with those of `given` it declares."""
        injected = {name: given[name] for name in self.injected}
        if not args or not injected:
            return self.function(*args, **kwargs, **injected)
        placed = self._placed(list(args), injected)
        return self.function(*placed, **kwargs, **injected)

    def _placed(self, args: list[Any], injected: dict[str, Any]) -> list[Any]:
        """Positional arguments with injected ones in their places; those leave `injected`."""
        placed = []
        for name in self.positional:
            if not args:
                break
            placed.append(injected.pop(name) if name in injected else args.pop(0))
        return placed + args


def resolve(path: str) -> TaskFunction:
    """The function at `package.module:function`; raises Invalid INVALID_FUNCTION naming what is missing.

    Imports the module, so ask `check_allowed` first for a path that a caller chose.
    """
    return _resolved(path) if isinstance(path, str) else _resolved(repr(path))


def check_allowed(path: str, allowed_modules: Iterable[str]) -> TaskFunction:
    """The function, when its module is on the list and it really lives in a module of the list.

    1. Only the text is judged first: nothing outside the list is ever imported.
    2. Names with a leading underscore are refused: they lead to globals and builtins.
    3. The way must not pass through a module (`shell:os.system`), nor end at a function that was only
       imported there: where it was defined must be on the list too.
    """
    allowed = tuple(allowed_modules)
    module_name, names = _split(path)
    if not _is_listed(module_name, allowed):
        listed = ", ".join(allowed) or "none"
        raise _refused(
            f"functions of {module_name!r} are not allowed; scheduler.allowed_functions lists: {listed}"
        )
    if any(name.startswith("_") for name in names):
        raise _refused(f"{path!r} is private: a name with a leading underscore cannot be a task function")
    _refuse_modules_on_the_way(module_name, names)
    found = resolve(path)
    home = getattr(inspect.unwrap(found.function), "__module__", None)
    declared = getattr(found.function, "__module__", None)
    for origin in (declared, home):
        if not isinstance(origin, str) or not _is_listed(origin, allowed):
            raise _refused(
                f"{path!r} is defined in {origin!r}, which is not allowed; name a function by its own module"
            )
    return found


def check_call(function: TaskFunction, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise Invalid INVALID_PARAMS, a fault for each wrong argument; the function is not called."""
    faults = [*_wrong_positions(function, args), *_wrong_names(function, args, kwargs)]
    if faults:
        told = "; ".join(f"{fault.field} {fault.message}" for fault in faults)
        raise Invalid(
            f"{function.path} cannot be called like this: {told}", code="INVALID_PARAMS", faults=faults
        )


def _split(path: str) -> tuple[str, list[str]]:
    if not _PATH.fullmatch(path):
        raise _invalid(f"{path!r} is no import path; write package.module:function")
    module_name, _, names = path.partition(":")
    return module_name, names.split(".")


@lru_cache(maxsize=4096)
def _resolved(path: str) -> TaskFunction:
    module_name, names = _split(path)
    found: Any = _imported(module_name)
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise _invalid(
                f"{module_name} has no {'.'.join(names)!r}{did_you_mean(name, dir(found))}"
            ) from None
    if not callable(found) or inspect.isclass(found):
        raise _invalid(f"{path} is not a function but {_described(found)}")
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise _invalid(f"{path} is a generator: called, its body would not run")
    return _inspected(path, found)


def _imported(module_name: str) -> ModuleType:
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise _invalid(f"there is no module {error.name!r}") from None
        raise _invalid(f"module {module_name!r} needs {error.name!r}, which is not installed") from error
    except (Exception, SystemExit) as error:
        raise _invalid(
            f"module {module_name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _refuse_modules_on_the_way(module_name: str, names: list[str]) -> None:
    found: Any = _imported(module_name)
    for name in names:
        found = getattr(found, name, None)
        if isinstance(found, ModuleType):
            raise _refused(f"{name!r} in {module_name!r} is a module; name the function by its own module")


def _inspected(path: str, function: Callable[..., Any]) -> TaskFunction:
    try:
        parameters = tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some functions written in C have none
        parameters = (Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD))
    injected = frozenset(p.name for p in parameters if p.name in INJECTED and p.kind in _BY_NAME)
    return TaskFunction(
        path=path,
        function=function,
        positional=tuple(p.name for p in parameters if p.kind in _BY_POSITION),
        named=frozenset(p.name for p in parameters if p.kind in _BY_NAME),
        required=frozenset(p.name for p in parameters if _is_required(p)) - injected,
        takes_any_args=any(p.kind is Parameter.VAR_POSITIONAL for p in parameters),
        takes_any_kwargs=any(p.kind is Parameter.VAR_KEYWORD for p in parameters),
        injected=injected,
    )


def _is_required(parameter: Parameter) -> bool:
    return parameter.default is Parameter.empty and parameter.kind in (*_BY_POSITION, *_BY_NAME)


def _wrong_positions(function: TaskFunction, args: Sequence[Any]) -> Iterable[Fault]:
    places = [name for name in function.positional if name not in function.injected]
    if len(args) > len(places) and not function.takes_any_args:
        yield Fault("params.args", f"holds {len(args)} values, the function takes {len(places)}")


def _wrong_names(function: TaskFunction, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterable[Fault]:
    places = [name for name in function.positional if name not in function.injected]
    filled = set(places[: len(args)])
    open_names = function.named - function.injected
    for name in kwargs:
        if name in INJECTED:
            yield Fault(f"params.kwargs.{name}", "is given by Cronzimus, a job must not name it")
        elif name in filled and name in function.named:
            yield Fault(f"params.kwargs.{name}", "is given twice, params.args has it already")
        elif name not in open_names and not function.takes_any_kwargs:
            yield Fault(
                f"params.kwargs.{name}", f"is not a parameter of the function{did_you_mean(name, open_names)}"
            )
    for name in sorted(function.required - filled - kwargs.keys()):
        yield Fault(f"params.kwargs.{name}", "is missing")


def _is_listed(module_name: str, allowed: Iterable[str]) -> bool:
    return any(module_name == prefix or module_name.startswith(f"{prefix}.") for prefix in allowed if prefix)


def _described(found: object) -> str:
    if isinstance(found, ModuleType):
        return "a module"
    return "a class" if inspect.isclass(found) else f"of type {type(found).__name__}"


def _invalid(message: str) -> Invalid:
    return Invalid(message, code="INVALID_FUNCTION", faults=[Fault("params.func", message)])


def _refused(message: str) -> Invalid:
    return Invalid(message, code="FUNCTION_NOT_ALLOWED", faults=[Fault("params.func", message)])
