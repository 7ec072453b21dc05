"""The package as it is shipped: built from the files of the checkout, whole, and of use without them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.build import Built, build
from release.contents import sdist_faults, static_files, wheel_faults
from release.smoke import FOLDER, Trial
from tests.house.tree import ROOT, checkout_files, listed

VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
EPOCH = 1_800_000_000


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Every file that is, or would be, committed."""
    return [path.relative_to(ROOT).as_posix() for path in checkout_files()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tracked: list[str]) -> Built:
    """The archives of this tree."""
    place = tmp_path_factory.mktemp("package")
    for name in tracked:
        target = place / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    return build(place / "tree", place / "work", place / "dist", EPOCH)


@pytest.fixture
def installed(built: Built, open_folder: Path) -> Iterator[Path]:
    """A folder with the installed wheel and nothing else; what it requires comes from this environment."""
    target = open_folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*command, "--target", str(target), str(built.wheel)], check=True, timeout=120)
    yield target


def test_wheel_holds_the_package_and_nothing_else(built: Built, tracked: list[str]) -> None:
    faults = list(wheel_faults(built.wheel, tracked, VERSION))
    assert faults == [], listed(faults)


def test_source_archive_holds_what_builds_the_wheel(built: Built, tracked: list[str]) -> None:
    faults = list(sdist_faults(built.sdist, tracked, VERSION))
    assert faults == [], listed(faults)


def test_licences_of_what_others_made_are_shipped(tracked: list[str]) -> None:
    vendor = "cronzimus/static/vendor/"
    folders = {name.removeprefix(vendor).split("/")[0] for name in tracked if name.startswith(vendor)}
    unlicensed = [name for name in folders - {"vendor.toml"} if f"{vendor}{name}/LICENSE" not in tracked]
    assert folders > {"vendor.toml"} and unlicensed == []


@pytest.mark.e2e
def test_installed_wheel_serves_in_an_empty_folder(installed: Path, built: Built, open_folder: Path) -> None:
    folder = open_folder / FOLDER
    folder.mkdir()
    environment = {"PYTHONPATH": str(installed)}
    here = subprocess.run(
        [sys.executable, "-c", "import cronzimus; print(cronzimus.__file__)"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(here.stdout.strip()).is_relative_to(installed)
    static = static_files(built.wheel)
    figures = Trial([sys.executable, "-m", "cronzimus"], folder, environment).run(VERSION, static)
    assert figures.files > len(static) > 5
