"""A check is silenced by its code, so that it stays awake for everything else."""

import re

import pytest

from tests.house.tree import Source, checkout_files, listed, source, text_of

SILENCE = re.compile(
    r"#\s*(?P<tool>nosec|noqa|type:\s*ignore|pragma:\s*no cover|pylint|fmt:\s*(off|skip))(?P<rest>.*)"
)
# The reason stands behind a second hash: bandit takes every word before it for the name of a check.
NAMED = {
    "nosec": re.compile(r":?\s*B\d{3}(\s*,\s*B\d{3})*\s*(#.*)?"),
    "noqa": re.compile(r":\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*\s*(#.*)?"),
    "type:ignore": re.compile(r"\[[a-z, -]+\]\s*(#.*)?"),
}


def loose(file: Source) -> list[str]:
    """The lines of a file that silence more than they name, or hide code from a measure."""
    return [
        f"{file.path}:{number} {line.strip()}"
        for number, line in enumerate(file.text.splitlines(), start=1)
        if (match := SILENCE.search(line)) and not _names_its_check(match)
    ]


def _names_its_check(match: re.Match[str]) -> bool:
    named = NAMED.get(re.sub(r"\s", "", match["tool"]))
    return bool(named and named.fullmatch(match["rest"]))


def test_silences_name_their_check() -> None:
    python = [path for path in checkout_files() if path.suffix == ".py" and path.name != "test_silences.py"]
    faults = [fault for path in python for fault in loose(source(text_of(path) or "", str(path)))]
    assert faults == [], listed(faults)


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("x = 1  # nosec B104  # every route wants a token", 0),
        ("x = 1  # nosec B602, B603", 0),
        ("x = 1  # nosec B104 - every route wants a token", 1),
        ("x = 1  # nosec", 1),
        ("x = 1  # noqa: E402", 0),
        ("x = 1  # noqa", 1),
        ("x = 1  # type: ignore[arg-type]", 0),
        ("x = 1  # type: ignore", 1),
        ("x = 1  # pragma: no cover", 1),
        ("x = 1  # fmt: off", 1),
        ("x = 1  # a type: the user's", 0),
    ],
)
def test_loose_wants_a_code(line: str, faults: int) -> None:
    assert len(loose(source(line))) == faults
