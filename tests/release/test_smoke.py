"""The trial of an installed package notices what is not as promised. That it passes is shown with the wheel."""

import subprocess
import sys
from pathlib import Path

import pytest

from release.smoke import Trial, _processes_of
from release.source import Refused

SAYS = "import sys; words = sys.argv[1:]; "


def trial(folder: Path, code: str) -> Trial:
    """A trial of a command that is such a piece of Python."""
    folder = folder / "in"
    folder.mkdir()
    return Trial([sys.executable, "-c", SAYS + code], folder, {})


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("sys.exit('no module')", "(?s)`version` ended with 1: no module"),
        ("print('cronzimus 0.9')", "says 'cronzimus 0.9', not 1.0.0"),
        (
            "print('1.0.0') if words == ['version'] else sys.exit('port taken')",
            "(?s)before it was ready.*port taken",
        ),
    ],
)
def test_command_that_does_not_work_is_refused(tmp_path: Path, code: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        trial(tmp_path, code).run("1.0.0", [])


def test_checkout_is_not_in_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql:///somewhere")
    said = trial(tmp_path, "import os; print(sorted(os.environ))").ask()
    assert "LANG" in said
    assert "PYTHONPATH" not in said and "DATABASE_URL" not in said


def test_processes_of_a_folder_are_seen(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        try:
            assert [said for said in _processes_of(tmp_path) if f"({process.pid})" in said]
        finally:
            process.kill()
    assert list(_processes_of(tmp_path)) == []
