"""Which Pythons the wheel is tried on, and that installing says why it failed."""

import sys
from pathlib import Path

import pytest

from release import install
from release.install import find, installed, pythons, room, version_of
from release.source import Refused

HERE = "{}.{}".format(*sys.version_info)


def test_one_python_is_this_one() -> None:
    assert pythons(False) == [sys.executable]
    assert version_of(sys.executable) == HERE


def test_python_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / f"python{HERE}"
    named.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=None)
    assert find(HERE) == str(named)


def test_python_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python9.9"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("9.9") is None


def test_lacking_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "SUPPORTED", ("9.8", "9.9"))
    with pytest.raises(Refused, match=r"no Python 9.8, 9.9 here: .* as python9.8"):
        pythons(True)


def test_room_is_open_and_gone_afterwards() -> None:
    with room() as home:
        assert home.stat().st_mode & 0o777 == 0o755
    assert not home.exists()


def test_wheel_that_cannot_be_installed_is_told(tmp_path: Path) -> None:
    wheel = tmp_path / "broken-1-py3-none-any.whl"
    wheel.write_text("no zip")
    with pytest.raises(Refused, match="(?s)pip install .*broken-1"):
        installed(sys.executable, wheel, tmp_path)
