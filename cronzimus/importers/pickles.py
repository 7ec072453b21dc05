"""A pickle read as data: its opcodes are followed, and nothing it names is ever looked up, imported or called.

What a pickle builds from plain values becomes those values. Where it names a class on the list of the caller and
calls it or fills it, that becomes a `Record` that says so. Anything else is refused with its reason.
"""

import pickletools  # nosec B403  # it names opcodes, and runs none
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

LARGEST: Final = 256 * 1024
_MOST_OPCODES: Final = 100_000
# How some versions of Python write the name of a method.
_GETATTR: Final = ("builtins.getattr", "__builtin__.getattr")


class Refused(ValueError):
    """A pickle that is not read, and why."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function a pickle names; it was not looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True)
class Record:
    """What a pickle would have built: by calling `made_by` with `args`, then filling it with `state`."""

    made_by: Name
    args: tuple[Any, ...] = ()
    state: Any = None

    @property
    def fields(self) -> dict[str, Any]:
        """The state as attributes by name."""
        return self.state if isinstance(self.state, dict) else {}


@dataclass(slots=True)
class _Mark:
    """Where a group of values begins."""


@dataclass(slots=True)
class _Machine:
    """The stack and the memo of the pickle, without its power."""

    allowed: Collection[str]
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop(self) -> Any:
        """The topmost value."""
        if not self.stack or isinstance(self.stack[-1], _Mark):
            raise Refused("it takes more values than it has")
        return self.stack.pop()

    def top(self, *kinds: type) -> Any:
        """The topmost value, which must be of one of these kinds."""
        if not self.stack or not isinstance(self.stack[-1], kinds):
            raise Refused("it fills something that is no container")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """Every value above the last mark, which goes too."""
        values: list[Any] = []
        while self.stack:
            value = self.stack.pop()
            if isinstance(value, _Mark):
                return values[::-1]
            values.append(value)
        raise Refused("it closes a group that was not opened")

    def named(self, module: Any, name: Any) -> Name:
        """A name, if it is on the list."""
        found = Name(str(module), str(name))
        if str(found) not in self.allowed and str(found) not in _GETATTR:
            raise Refused(f"it names {found}, which is nothing a schedule is made of")
        return found

    def made(self, by: Any, args: Any) -> Record | Name:
        """The record of a call that is not made; asking a name for one of its parts gives a longer name."""
        if not isinstance(by, Name) or not isinstance(args, tuple):
            raise Refused("it calls something that is no class it named")
        if str(by) not in _GETATTR:
            return Record(by, args)
        if len(args) != 2 or not isinstance(args[0], Name) or not isinstance(args[1], str):
            raise Refused("it asks for a part of something it did not name")
        return self.named(args[0].module, f"{args[0].name}.{args[1]}")


def read_pickle(data: bytes, allowed: Collection[str]) -> Any:
    """The plain data and records of a pickle; `allowed` are the dotted names it may speak of. Raises Refused."""
    if len(data) > LARGEST:
        raise Refused(f"it is larger than {LARGEST // 1024} KiB")
    machine = _Machine(allowed)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > _MOST_OPCODES:
                raise Refused(f"it has more than {_MOST_OPCODES} steps")
            if opcode.name == "STOP":
                return machine.pop()
            _step(machine, opcode.name, argument)
    except Refused:
        raise
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, RecursionError, MemoryError) as error:
        raise Refused(f"it is damaged: {error}") from None
    raise Refused("it has no end")


def _step(machine: _Machine, opcode: str, argument: Any) -> None:
    if opcode in _IGNORED:
        return
    if opcode in _ARGUMENTS:
        machine.stack.append(argument)
    elif opcode in _CONSTANTS:
        machine.stack.append(_CONSTANTS[opcode]())
    elif opcode in _PUTS:
        key = len(machine.memo) if argument is None else int(argument)
        machine.memo[key] = machine.stack[-1]
    elif opcode in _GETS:
        machine.stack.append(machine.memo[int(argument)])
    elif opcode in _STEPS:
        _STEPS[opcode](machine, argument)
    else:
        raise Refused(f"it uses {opcode}, which no schedule needs")


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def _build(machine: _Machine, _: Any) -> None:
        machine.stack.append(tuple([machine.pop() for _ in range(count)][::-1]))

    return _build


def _global(machine: _Machine, argument: Any) -> None:
    machine.stack.append(machine.named(*str(argument).split(" ", 1)))


def _stack_global(machine: _Machine, _: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.named(module, name))


def _reduce(machine: _Machine, _: Any) -> None:
    args, by = machine.pop(), machine.pop()
    machine.stack.append(machine.made(by, args))


def _newobj_ex(machine: _Machine, _: Any) -> None:
    kwargs, args, by = machine.pop(), machine.pop(), machine.pop()
    if kwargs:
        raise Refused("it makes something with keywords")
    machine.stack.append(machine.made(by, args))


def _build(machine: _Machine, _: Any) -> None:
    state = machine.pop()
    machine.top(Record).state = state


def _append(machine: _Machine, _: Any) -> None:
    value = machine.pop()
    machine.top(list).append(value)


def _appends(machine: _Machine, _: Any) -> None:
    values = machine.since_mark()
    machine.top(list).extend(values)


def _setitem(machine: _Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    machine.top(dict)[key] = value


def _setitems(machine: _Machine, _: Any) -> None:
    values = machine.since_mark()
    machine.top(dict).update(zip(values[::2], values[1::2], strict=True))


def _additems(machine: _Machine, _: Any) -> None:
    values = machine.since_mark()
    machine.top(set).update(values)


def _dict(machine: _Machine, _: Any) -> None:
    values = machine.since_mark()
    machine.stack.append(dict(zip(values[::2], values[1::2], strict=True)))


def _mark(machine: _Machine, _: Any) -> None:
    machine.stack.append(_Mark())


def _pop(machine: _Machine, _: Any) -> None:
    machine.stack.pop()


def _pop_mark(machine: _Machine, _: Any) -> None:
    machine.since_mark()


_IGNORED: Final = {"PROTO", "FRAME"}
_ARGUMENTS: Final = set(
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE"
    " SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_PUTS: Final = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_GETS: Final = {"GET", "BINGET", "LONG_BINGET"}
_STEPS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "MARK": _mark,
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "FROZENSET": lambda machine, _: machine.stack.append(frozenset(machine.since_mark())),
    "DICT": _dict,
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _setitem,
    "SETITEMS": _setitems,
    "ADDITEMS": _additems,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _newobj_ex,
    "BUILD": _build,
}
