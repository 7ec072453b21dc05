"""The `.env` file: one `NAME=value` a line, with the line of each kept."""

import re
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^'"\s#](?:.*?))?? )
    \s*(?:(?<=[\s=])\#.*)?""",
    re.VERBOSE,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the file; a `literal` was written in single quotes and is not expanded."""

    value: str
    line: int
    literal: bool = False


def parse(text: str) -> tuple[dict[str, Variable], list[str]]:
    """The variables by name, later ones winning, and one sentence for each line that cannot be read."""
    variables: dict[str, Variable] = {}
    faults = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            faults.append(f"{number}: expected NAME=value, with the quotes closed")
        else:
            variables[found["name"]] = Variable(_value(found), number, found["single"] is not None)
    return variables, faults


def _value(found: re.Match[str]) -> str:
    if found["single"] is not None:
        return str(found["single"])
    if found["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), found["double"])
    return (found["plain"] or "").rstrip()
