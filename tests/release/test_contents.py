"""An archive that lacks something, holds too much or misnames itself is found out."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.contents import SDIST_TOP, sdist_faults, static_files, wheel_faults

TRACKED = ["cronzimus/app.py", "cronzimus/static/app.css", "tests/test_app.py", "README.md"]
PACKAGE = TRACKED[:2]
METADATA = """Metadata-Version: 2.4
Name: {name}
Version: {version}
Summary: {summary}
Description-Content-Type: text/markdown

{readme}
"""
GOOD = {"name": "cronzimus", "version": "1.0.0", "summary": "Cron.", "readme": "# Cronzimus"}
INFO = "cronzimus-1.0.0.dist-info/"


def wheel(
    folder: Path, names: list[str], tag: str = "py3-none-any", script: str = "main", **said: str
) -> Path:
    """A wheel with such files, which says such things of itself."""
    path = folder / "cronzimus-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
        archive.writestr(f"{INFO}METADATA", METADATA.format(**{**GOOD, **said}))
        archive.writestr(f"{INFO}WHEEL", f"Tag: {tag}\n")
        archive.writestr(
            f"{INFO}entry_points.txt", f"[console_scripts]\ncronzimus = cronzimus.cli:{script}\n"
        )
    return path


def sdist(folder: Path, names: list[str]) -> Path:
    """A source archive with such files."""
    path = folder / "cronzimus-1.0.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in [*names, "PKG-INFO", "setup.cfg", "cronzimus.egg-info/SOURCES.txt"]:
            content = METADATA.format(**GOOD).encode()
            member = tarfile.TarInfo(f"cronzimus-1.0.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_good_archives_have_no_fault(tmp_path: Path) -> None:
    assert list(wheel_faults(wheel(tmp_path, PACKAGE), TRACKED, "1.0.0")) == []
    assert list(sdist_faults(sdist(tmp_path, [*PACKAGE, *SDIST_TOP]), TRACKED, "1.0.0")) == []


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["cronzimus/app.py"], "lacks cronzimus/static/app.css"),
        ([*PACKAGE, "tests/test_app.py"], "holds tests/test_app.py, which does not belong there"),
        ([*PACKAGE, "cronzimus/x.pyc"], "holds cronzimus/x.pyc, which does not belong there"),
    ],
)
def test_wheel_with_other_files_is_found_out(tmp_path: Path, names: list[str], fault: str) -> None:
    (found,) = wheel_faults(wheel(tmp_path, names), TRACKED, "1.0.0")
    assert found.endswith(fault)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"version": "1.0.1"}, "calls itself cronzimus 1.0.1, not cronzimus 1.0.0"),
        ({"name": "cron"}, "calls itself cron 1.0.0"),
        ({"summary": "two\n  lines"}, "must be a single line"),
        ({"readme": " "}, "its README does not render"),
        ({"tag": "cp311-cp311-linux_x86_64"}, "is for cp311-cp311-linux_x86_64 only"),
        ({"script": "other"}, "brings no command `cronzimus`"),
    ],
)
def test_wheel_that_misnames_itself_is_found_out(tmp_path: Path, said: dict[str, str], fault: str) -> None:
    (found,) = wheel_faults(wheel(tmp_path, PACKAGE, **said), TRACKED, "1.0.0")
    assert fault in found


def test_wheel_of_another_version_is_found_out(tmp_path: Path) -> None:
    assert any(
        "lacks" in fault or "holds no" in fault for fault in wheel_faults(wheel(tmp_path, PACKAGE), [], "2")
    )


def test_sdist_with_tests_is_found_out(tmp_path: Path) -> None:
    names = [*PACKAGE, *SDIST_TOP, "tests/test_app.py"]
    (found,) = sdist_faults(sdist(tmp_path, names), TRACKED, "1.0.0")
    assert found.endswith("holds tests/test_app.py, which does not belong there")


def test_static_files_are_those_a_page_asks_for(tmp_path: Path) -> None:
    path = wheel(tmp_path, ["cronzimus/static/app.css", "cronzimus/static/vendor/LICENSE", "cronzimus/a.js"])
    assert static_files(path) == ["app.css"]
