"""Every public name says in a sentence what it is for, and nothing is left for later."""

import ast
import re

import pytest

from tests.house.tree import Function, Source, checkout_files, listed, source, sources, text_of

# In two halves, or this file would be the first finding.
LEFT_FOR_LATER = re.compile("|".join(["TO" "DO", "FIX" "ME", "XX" "X"]))
MACHINE_PATH = re.compile(
    r"(^|[^A-Za-z])/(wo" r"rk|fa" r"rm|ro" r"ot|tmp/bash_jobs|Us" r"ers)/", re.MULTILINE
)
PACKAGE_HOST = re.compile(r"py" r"pi\.org|python" r"hosted\.org|registry\.npm" r"js\.org")
NOT_WRITTEN_BY_HAND = re.compile(r"requirements.*\.txt|.*\.lock|.*/vendor/.*")

LEFTOVERS = (LEFT_FOR_LATER, MACHINE_PATH, PACKAGE_HOST)


def undocumented(file: Source) -> list[str]:
    """The public classes, functions and methods of a file without a docstring."""
    faults = [] if not file.tree.body or ast.get_docstring(file.tree) else [f"{file.path}: the module"]
    return faults + [
        f"{file.at(node)} {node.name}"
        for node in ast.walk(file.tree)
        if isinstance(node, Function | ast.ClassDef) and _speaks(node) and not ast.get_docstring(node)
    ]


def _speaks(node: Function | ast.ClassDef) -> bool:
    """Whether the reader looks here: an overload or a setter is described where the thing itself is."""
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
    return not node.name.startswith("_") and marks.isdisjoint({"overload", "setter", "deleter"})


def leftovers(text: str) -> list[str]:
    """What a text holds that belongs to one machine or to another day."""
    return [match.group() for pattern in LEFTOVERS for match in pattern.finditer(text)]


def test_public_names_are_documented() -> None:
    silent = [fault for file in sources() for fault in undocumented(file)]
    assert silent == [], listed(silent)


def test_nothing_is_left_over() -> None:
    names = [path for path in checkout_files() if not NOT_WRITTEN_BY_HAND.fullmatch(path.as_posix())]
    faults = [f"{path}: {found}" for path in names if (found := leftovers(text_of(path) or ""))]
    assert faults == [], listed(faults)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('"""A module."""\ndef f():\n    """Does."""\n', 0),
        ('"""A module."""\ndef f(): ...\n', 1),
        ('"""A module."""\ndef _f(): ...\n', 0),
        ('"""A module."""\nclass C:\n    """Is."""\n    def m(self): ...\n', 1),
        ('"""A module."""\n@typing.overload\ndef f(): ...\n', 0),
        ("def f():\n    '''Does.'''\n", 1),
        ("", 0),
    ],
)
def test_undocumented_finds_what_is_silent(text: str, faults: int) -> None:
    assert len(undocumented(source(text))) == faults


@pytest.mark.parametrize(
    "text",
    ["# TO" "DO later", 'open("/ro' 'ot/.ssh")', "/wo" "rk/main", "FIX" "ME", "https://py" "pi.org/simple"],
)
def test_leftovers_finds(text: str) -> None:
    assert leftovers(text)


@pytest.mark.parametrize("text", ["network/root/x", "/api/workers/", "https://host/rooted/"])
def test_leftovers_leaves_alone(text: str) -> None:
    assert not leftovers(text)
