"""`make release` says in a sentence why it does not; what it writes can be checked."""

import subprocess
from pathlib import Path

import pytest

from release import __main__ as release
from release.build import Built
from release.source import Commit, Refused

COMMIT = Commit(id="f" * 40, epoch=1, version="1.0.0", notes_left=True)


def refuse() -> Commit:
    raise Refused("the tree is not clean")


def test_refusal_is_a_sentence_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "earlier.whl"
    earlier.touch()
    monkeypatch.setattr(release, "DIST", tmp_path)
    monkeypatch.setattr(release, "read_commit", refuse)
    assert release.main([]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("== checks\n", "release: the tree is not clean\n")
    assert earlier.exists()


def test_checksums_can_be_checked(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("b.whl", "a.tar.gz")]
    for path in files:
        path.write_text(path.name)
    release.write_sums(files, tmp_path / "SHA256SUMS")
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert checked.stdout == "a.tar.gz: OK\nb.whl: OK\n"


def test_builds_that_differ_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    for folder, wheel in ((one, "x"), (other, "y")):
        folder.mkdir()
        (folder / "a.tar.gz").write_text("same")
        (folder / "a.whl").write_text(wheel)
    first, second = (Built(folder / "a.tar.gz", folder / "a.whl") for folder in (one, other))
    release.refuse_difference(first, first)
    with pytest.raises(Refused, match="two builds of one commit differ: a.whl"):
        release.refuse_difference(first, second)


def test_steps_say_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    with release.step("trying") as say:
        say("it works")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["== trying", "   it works"] and lines[2].endswith(" s")


def test_what_remains_is_for_a_person() -> None:
    said = release._what_remains(COMMIT)
    assert "Nothing was signed, tagged or uploaded" in said
    assert "notes under [Unreleased]" in said
    assert f"git tag --sign v1.0.0 --message 'Cronzimus 1.0.0' {COMMIT.id}" in said
