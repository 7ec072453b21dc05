"""What is released is one clean commit whose version the changelog knows."""

import subprocess
from pathlib import Path

import pytest

from release.source import Refused, entries, export, read_commit, read_version

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-01\n\n- All of it.\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository that may be released."""
    (tmp_path / "VERSION").write_text("1.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "so", "--date=2027-01-01T00:00:00Z")


def test_clean_commit_is_read(checkout: Path) -> None:
    found = read_commit(checkout)
    assert (found.version, found.notes_left, len(found.id)) == ("1.2.0", False, 40)
    assert found.epoch > 1_700_000_000


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("stray.txt", "", "not clean, commit or remove first: stray.txt"),
        ("VERSION", "1.3.0\n", "not clean, commit or remove first: VERSION"),
    ],
)
def test_changes_are_refused(checkout: Path, name: str, text: str, sentence: str) -> None:
    (checkout / name).write_text(text)
    with pytest.raises(Refused, match=sentence):
        read_commit(checkout)


def test_many_changes_are_counted(checkout: Path) -> None:
    for number in range(7):
        (checkout / f"stray{number}").touch()
    with pytest.raises(Refused, match="stray4 and 2 more"):
        read_commit(checkout)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("VERSION", "1.3.0", r"CHANGELOG.md has no entry \[1.3.0\]"),
        ("CHANGELOG.md", "## [1.2.0]\n\n## [1.1.0]\n- x\n", r"no entry \[1.2.0\] that says anything"),
        ("VERSION", "next", "'next', which is no version"),
        ("VERSION", "1.2.0-rc1", "its normal form is '1.2.0rc1'"),
    ],
)
def test_version_and_changelog_must_agree(checkout: Path, name: str, text: str, sentence: str) -> None:
    (checkout / name).write_text(text)
    commit(checkout)
    with pytest.raises(Refused, match=sentence):
        read_commit(checkout)


def test_notes_without_a_version_are_seen(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"))
    commit(checkout)
    assert read_commit(checkout).notes_left


def test_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no git checkout"):
        read_commit(tmp_path)


def test_export_holds_what_is_committed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (checkout / "stray.txt").touch()
    into = tmp_path_factory.mktemp("exported")
    export(checkout, into)
    assert sorted(path.name for path in into.iterdir()) == ["CHANGELOG.md", "VERSION"]


def test_entries_are_read_by_version() -> None:
    assert entries(CHANGELOG) == {"Unreleased": "", "1.2.0": "- All of it."}


def test_version_is_stripped(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text(" 1.0.0\n")
    assert read_version(tmp_path) == "1.0.0"
