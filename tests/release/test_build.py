"""Archives do not tell who packed them, when and where."""

import io
import tarfile
from pathlib import Path

import pytest

from release import build
from release.build import refuse_old_setuptools, settled
from release.source import Refused

NAMES = ["p/b.py", "p/a.py", "p/run"]


def packed(names: list[str], mtime: int, mode: int) -> bytes:
    """An archive as a machine packs it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode, member.uname = 1, mtime, mode, f"user{mtime}"
            member.mode |= 0o100 if name == "p/run" else 0
            archive.addfile(member, io.BytesIO(name[-1].encode()))
    return content.getvalue()


def test_archives_of_two_machines_become_equal() -> None:
    one, other = packed(NAMES, 1, 0o600), packed(NAMES[::-1], 99, 0o664)
    assert one != other
    assert settled(one, 5) == settled(other, 5) != settled(one, 6)


def test_settled_keeps_names_contents_and_what_is_executable() -> None:
    with tarfile.open(fileobj=io.BytesIO(settled(packed(NAMES, 1, 0o600), 5))) as archive:
        members = [(member.name, member.mode, member.mtime, member.uid) for member in archive]
        contents = [read.read() for name in sorted(NAMES) if (read := archive.extractfile(name))]
    assert members == [("p/a.py", 0o644, 5, 0), ("p/b.py", 0o644, 5, 0), ("p/run", 0o755, 5, 0)]
    assert contents == [b"y", b"y", b"n"]


@pytest.mark.parametrize(("found", "refused"), [("65.5.0", True), ("77.0", False), ("84.2.1", False)])
def test_old_setuptools_is_refused(monkeypatch: pytest.MonkeyPatch, found: str, refused: bool) -> None:
    monkeypatch.setattr(build.metadata, "version", lambda name: found)
    if not refused:
        refuse_old_setuptools()
        return
    with pytest.raises(Refused, match="make install-dev"):
        refuse_old_setuptools()


def test_failing_build_is_told_with_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("raise SystemExit('no such thing')")
    with pytest.raises(Refused, match="(?s)build_sdist failed in .*no such thing"):
        build.build(tmp_path, tmp_path / "work", tmp_path / "dist", 1)
