"""`cronzimus version`."""

import json
import platform
from pathlib import Path

from cronzimus.version import version
from tests.cli.line import Line
from tests.house.tree import ROOT


def test_version_is_one_line(line: Line) -> None:
    assert line.out("version") == f"cronzimus {version()}\n"


def test_version_is_the_one_of_the_file(line: Line) -> None:
    assert line.out("--version").split()[1] == (ROOT / "VERSION").read_text().strip()


def test_version_as_json_says_where_it_runs(line: Line) -> None:
    facts = line.json("version")
    assert facts["version"] == version() and facts["python"] == platform.python_version()
    assert json.loads(line.out("version", "--json")) == facts


def test_version_needs_no_project(line: Line) -> None:
    Path("config").mkdir()
    Path("config/config.yaml").write_text("nonsense: [")
    assert line("version").exit_code == 0
