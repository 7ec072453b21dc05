"""The top of the checkout: version, locks, Makefile, what git ignores, what CI runs."""

import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.house.tree import PACKAGE, ROOT, checkout_files, listed

VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CHECKS = {"test", "lint", "types", "format", "security", "bench"}
TARGETS = {"help", "install", "run", "release", "lock", "clean"} | CHECKS
IGNORED = [
    ".venv/",
    ".env",
    "data/local.db",
    "data/local/base",
    "logs/x",
    "logs/app.log",
    "any.db",
    "deep/any.log",
]
KEPT = [
    ".env.example",
    "config/base/config.yaml",
    "cronzimus/common/logger.py",
    "tests/common/test_db.py",
    ".ci/run",
]


def _pins(name: str) -> dict[str, str]:
    """The pinned packages of a lock and everything said on their lines."""
    joined = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]
    return {line.split("==")[0]: line for line in lines}


def _version_in(pin: str) -> str:
    return pin.split("==")[1].split()[0]


def _ignored(folder: Path, name: str) -> bool:
    return subprocess.run(["git", "check-ignore", "--quiet", name], cwd=folder).returncode == 0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty repository with our .gitignore."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    return tmp_path


def test_version_is_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", VERSION)
    assert metadata.version("cronzimus") == VERSION


def test_changelog_has_an_entry_for_the_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert VERSION in headings
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("name", IGNORED)
def test_gitignore_covers(repository: Path, name: str) -> None:
    assert _ignored(repository, name)


@pytest.mark.parametrize("name", KEPT)
def test_gitignore_lets_through(repository: Path, name: str) -> None:
    assert not _ignored(repository, name)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_are_hashed_and_name_no_host(name: str) -> None:
    loose = [
        package for package, line in _pins(name).items() if "==" not in line or "--hash=sha256:" not in line
    ]
    assert loose == [], listed(loose)
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_locks_agree() -> None:
    development = {package: _version_in(line) for package, line in _pins("requirements-dev.txt").items()}
    service = {package: _version_in(line) for package, line in _pins("requirements.txt").items()}
    assert service.items() <= development.items()


@pytest.mark.parametrize(
    ("lock", "wishes"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_locks_fulfil_the_project(lock: str, wishes: list[str]) -> None:
    pins = {re.sub(r"\[.*\]", "", package): _version_in(line) for package, line in _pins(lock).items()}
    wanted = [Requirement(wish) for wish in wishes]
    unmet = [str(wish) for wish in wanted if not wish.specifier.contains(pins.get(wish.name, "0"))]
    assert unmet == [], listed(unmet)


def test_package_carries_its_data() -> None:
    globs = PROJECT["tool"]["setuptools"]["package-data"]["cronzimus"]
    carried = {path for glob in globs for path in PACKAGE.glob(glob)}
    data = [path for path in checkout_files() if PACKAGE in path.parents and path.suffix != ".py"]
    forgotten = [str(path.relative_to(ROOT)) for path in data if path not in carried]
    assert forgotten == [], listed(forgotten)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_project_runs_on(python: str) -> None:
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(python)
    assert f"Programming Language :: Python :: {python}" in PROJECT["project"]["classifiers"]


def test_extra_all_is_every_other() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    (every,) = extras["all"]
    assert Requirement(every).extras == set(extras) - {"all"}


def test_each_extra_is_named_where_it_lacks() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    extras = set(PROJECT["project"]["optional-dependencies"]) - {"all"}
    assert sorted(extra for extra in extras if f"pip install 'cronzimus[{extra}]'" not in said) == []


def test_makefile_explains_its_targets() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## .+$", MAKEFILE, re.MULTILINE))
    assert explained == TARGETS


def test_make_alone_lists_the_targets() -> None:
    clean = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    said = subprocess.run(["make"], cwd=ROOT, env=clean, capture_output=True, text=True, check=True).stdout
    assert [target for target in TARGETS if f"make {target} " not in said] == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("*print*) echo 3.9;; *) exit 1;;", ["needs Python 3.11 or newer", "is 3.9"]),
        ("*print*) echo 3.12;; *ensurepip*) exit 1;;", ["apt install python3.12-venv"]),
        ("*) exit 1;;", ["needs Python 3.11 or newer", "found: none"]),
    ],
)
def test_make_says_what_python_lacks(tmp_path: Path, answers: str, said: list[str]) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in {answers} esac\n')
    python.chmod(0o755)
    command = ["make", "install", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert [sentence for sentence in said if sentence not in done.stderr] == []
    assert not (tmp_path / "venv").exists()


def test_ci_runs_lint_and_tests() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert re.search(r"^step lint$", text, re.MULTILINE)
    assert re.search(r"^exec make .*\btest\b", text, re.MULTILINE)
