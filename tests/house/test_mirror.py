"""The tests mirror the package: who opens a file of logic finds its tests at the same place."""

import pytest

from tests.house.tree import ROOT, Source, functions, listed, source, sources

# Files of logic without a test file of their own, and where their behaviour is shown instead.
SHOWN_ELSEWHERE: dict[str, str] = {}


def mirror(file: Source) -> str:
    """Where the tests of a file belong; those of a package are named after it."""
    parts = file.path.removeprefix("cronzimus/").removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts[-1] = parts[-2] if len(parts) > 1 else "cronzimus"
    return "/".join(["tests", *parts[:-1], f"test_{parts[-1]}.py"])


def has_logic(file: Source) -> bool:
    """Whether there is something to test: a file of names and fields has nothing to get wrong."""
    return any(functions(file.tree))


def test_logic_has_its_tests() -> None:
    places = {
        file.path: SHOWN_ELSEWHERE.get(file.path, mirror(file)) for file in sources() if has_logic(file)
    }
    untested = [f"{path}: no {place}" for path, place in places.items() if not (ROOT / place).is_file()]
    assert untested == [], listed(untested)


def test_tests_are_never_empty() -> None:
    written = [path for path in (ROOT / "tests").rglob("test_*.py")]
    idle = [
        str(path.relative_to(ROOT)) for path in written if "def test_" not in path.read_text(encoding="utf-8")
    ]
    assert idle == [], listed(idle)


def test_exceptions_are_still_there() -> None:
    assert [path for path in SHOWN_ELSEWHERE if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("cronzimus/cli.py", "tests/test_cli.py"),
        ("cronzimus/models/job.py", "tests/models/test_job.py"),
        ("cronzimus/settings/__init__.py", "tests/settings/test_settings.py"),
        ("cronzimus/workers/engines/inline.py", "tests/workers/engines/test_inline.py"),
    ],
)
def test_mirror_names_the_place(path: str, place: str) -> None:
    assert mirror(source("", path)) == place


@pytest.mark.parametrize(
    ("text", "logic"), [("class A:\n    x: int\n", False), ("class A:\n    def f(self): ...\n", True)]
)
def test_has_logic_looks_for_functions(text: str, logic: bool) -> None:
    assert has_logic(source(text)) is logic
