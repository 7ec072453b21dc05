"""`make release`: builds, checks and tries out what a person may then sign and upload."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from release import contents, sbom
from release.build import Built, build, digest, refuse_old_setuptools
from release.install import installed, pythons, room, version_of
from release.smoke import Trial
from release.source import ROOT, Commit, Refused, export, read_commit

DIST = ROOT / "dist"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the release; 1 and a sentence when it cannot be."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--all-pythons", action="store_true", help="try the wheel on every supported Python")
    options = parser.parse_args(arguments)
    try:
        make(everyone=options.all_pythons)
    except Refused as refused:
        print(f"release: {refused}", file=sys.stderr)
        return 1
    return 0


def make(*, everyone: bool) -> None:
    """Every step in its order; what can fail at once comes first."""
    with step("checks"):
        commit = read_commit()
        refuse_old_setuptools()
        interpreters = pythons(everyone)
        # A release that failed must not leave archives that look like one.
        shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="cronzimus-build-") as work:
        with step(f"building {commit.version} from {commit.id[:12]}"):
            tree = Path(work) / "tree"
            export(ROOT, tree)
            built = build(tree, Path(work) / "first", Path(work) / "dist", commit.epoch)
        with step("building it again elsewhere: the same bytes"):
            refuse_difference(built, _again(Path(work) / "again" / "elsewhere", commit))
        with step("contents, metadata and README"):
            refuse_faults(built, commit.version)
        for python in interpreters:
            with step(f"trying the wheel in an empty environment, Python {version_of(python)}") as say:
                say(try_out(python, built.wheel, commit.version))
        with step("bill of materials and checksums"):
            bill = Path(work) / "dist" / f"cronzimus-{commit.version}.cdx.json"
            lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
            vendored = ROOT / "cronzimus" / "static" / "vendor" / "vendor.toml"
            text = sbom.written(commit.version, commit.epoch, lock, vendored, built.digests)
            bill.write_text(text, encoding="utf-8")
            write_sums([built.sdist, built.wheel, bill], bill.with_name("SHA256SUMS"))
        shutil.copytree(bill.parent, DIST)
    print(_what_remains(commit))


def _again(place: Path, commit: Commit) -> Built:
    """A second build with another time zone, locale, home and folder."""
    export(ROOT, place / "tree")
    other = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "HOME": str(place), "PYTHONHASHSEED": "7"}
    return build(place / "tree", place / "work", place / "dist", commit.epoch, **other)


def refuse_difference(first: Built, second: Built) -> None:
    """Raises Refused when an archive depends on more than the commit."""
    different = [name for name, value in first.digests.items() if second.digests.get(name) != value]
    if different:
        raise Refused(f"two builds of one commit differ: {', '.join(different)}")


def refuse_faults(built: Built, version: str) -> None:
    """Raises Refused with everything that is wrong with the archives."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    tracked = listed.stdout.split("\0")
    faults = [
        *contents.wheel_faults(built.wheel, tracked, version),
        *contents.sdist_faults(built.sdist, tracked, version),
    ]
    if faults:
        raise Refused("the archives are not what they should be:\n" + "\n".join(faults))


def try_out(python: str, wheel: Path, version: str) -> str:
    """Install the wheel on that Python and use it; the figures as a line."""
    with room() as home:
        there = installed(python, wheel, home)
        figures = Trial([str(there.command)], there.folder, {}).run(version, contents.static_files(wheel))
        Trial([str(there.python), "-m", "cronzimus"], home, {}).ask("version")
    return (
        f"installed in {there.seconds:.1f} s, {there.megabytes:.0f} MB; ready after {figures.ready:.1f} s; "
        f"{figures.files} pages and files; ended {figures.ended:.1f} s after SIGTERM, nothing left"
    )


def write_sums(files: Sequence[Path], into: Path) -> None:
    """The checksums, as `sha256sum --check` reads them."""
    lines = [f"{digest(path)}  {path.name}\n" for path in sorted(files)]
    into.write_text("".join(lines), encoding="utf-8")


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Say what is done, and afterwards what came out and how long it took."""
    print(f"== {title}", flush=True)
    began, said = time.monotonic(), list[str]()
    yield said.append
    print(*(f"   {line}" for line in [*said, f"{time.monotonic() - began:.1f} s"]), sep="\n", flush=True)


def _what_remains(commit: Commit) -> str:
    version = commit.version
    notes = (
        "\nCHANGELOG.md still has notes under [Unreleased]: they belong under a version.\n"
        if commit.notes_left
        else ""
    )
    return f"""{notes}
dist/ holds cronzimus {version} of commit {commit.id}. Nothing was signed, tagged or uploaded. To do that:

  gpg --armor --detach-sign dist/SHA256SUMS
  git tag --sign v{version} --message 'Cronzimus {version}' {commit.id}
  git push origin v{version}
  uv publish dist/cronzimus-{version}.tar.gz dist/cronzimus-{version}-py3-none-any.whl
"""


if __name__ == "__main__":
    sys.exit(main())
