"""No file and no function grows until it needs a tour guide."""

import pytest

from tests.house.exceptions import limit
from tests.house.tree import PACKAGE, TESTS, Source, body_lines, functions, listed, source, sources

MEAN_FUNCTION_LINES = 8
TESTS_TO_CODE = 1.3


def long_functions(file: Source) -> list[str]:
    """The functions of a file that are longer than it is allowed."""
    allowed = limit("function lines", file.path)
    return [
        f"{file.at(function)} {function.name}: {body_lines(function)} lines, {allowed} allowed"
        for function in functions(file.tree)
        if body_lines(function) > allowed
    ]


def test_files_fit() -> None:
    long = [
        f"{file.path}: {file.lines} lines, {allowed} allowed"
        for file in sources()
        if file.lines > (allowed := limit("file lines", file.path))
    ]
    assert long == [], listed(long)


def test_functions_fit() -> None:
    long = [fault for file in sources() for fault in long_functions(file)]
    assert long == [], listed(long)


def test_functions_are_short_on_average() -> None:
    lengths = [body_lines(function) for file in sources() for function in functions(file.tree)]
    assert sum(lengths) / len(lengths) <= MEAN_FUNCTION_LINES


def test_tests_outweigh_code() -> None:
    code = sum(file.lines for file in sources())
    tests = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in TESTS.rglob("*.py"))
    assert tests / code >= TESTS_TO_CODE, f"{tests} lines of tests for {code} lines of code"


def test_sources_are_the_package() -> None:
    paths = {file.path for file in sources()}
    assert "cronzimus/errors.py" in paths
    assert all((PACKAGE.parent / path).is_file() for path in paths)


@pytest.mark.parametrize(("statements", "faults"), [(40, 0), (41, 1)])
def test_long_functions_counts_the_body(statements: int, faults: int) -> None:
    assert len(long_functions(source("def f(\n    a,\n):\n" + "    a += 1\n" * statements))) == faults
