"""What the archives must hold and what they say of themselves; every function yields faults as sentences."""

import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from packaging.metadata import Metadata
from readme_renderer import markdown

PACKAGE = "cronzimus"
# Beside the package itself: what is needed to build it, and what people read first.
SDIST_TOP = {"CHANGELOG.md", "MANIFEST.in", "README.md", "VERSION", "pyproject.toml", "setup.py"}
STATIC = f"{PACKAGE}/static/"
SERVED = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_WRITTEN_BY_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}
_SCRIPT = "cronzimus = cronzimus.cli:main"


def wheel_faults(wheel: Path, tracked: Iterable[str], version: str) -> Iterator[str]:
    """Where the wheel is not exactly the tracked files of the package, or misnames itself."""
    info = f"{PACKAGE}-{version}.dist-info/"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        yield from _differences(wheel.name, {n for n in names if not n.startswith(info)}, _package(tracked))
        if f"{info}METADATA" not in names:
            yield f"{wheel.name}: holds no {info}METADATA"
            return
        yield from _metadata_faults(wheel.name, archive.read(f"{info}METADATA"), version)
        if _SCRIPT not in archive.read(f"{info}entry_points.txt").decode().splitlines():
            yield f"{wheel.name}: brings no command `cronzimus`"
        tag = BytesParser().parsebytes(archive.read(f"{info}WHEEL"))["Tag"]
        if tag != "py3-none-any":
            yield f"{wheel.name}: is for {tag} only"


def sdist_faults(sdist: Path, tracked: Iterable[str], version: str) -> Iterator[str]:
    """Where the source archive holds something else than the package and what it takes to build it."""
    root = f"{PACKAGE}-{version}/"
    with tarfile.open(sdist) as archive:
        names = {member.name.removeprefix(root) for member in archive if member.isfile()}
        written = {n for n in names if n in _WRITTEN_BY_SETUPTOOLS or n.startswith(f"{PACKAGE}.egg-info/")}
        yield from _differences(sdist.name, names - written, _package(tracked) | SDIST_TOP)
        about = archive.extractfile(f"{root}PKG-INFO")
        yield from _metadata_faults(sdist.name, about.read() if about else b"", version)


def static_files(wheel: Path) -> list[str]:
    """What the pages may ask for, by its path below `static/`."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(STATIC)]
    return [name.removeprefix(STATIC) for name in names if Path(name).suffix in SERVED]


def _package(tracked: Iterable[str]) -> set[str]:
    return {name for name in tracked if name.startswith(f"{PACKAGE}/")}


def _differences(archive: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    yield from (f"{archive}: lacks {name}" for name in sorted(wanted - found))
    yield from (f"{archive}: holds {name}, which does not belong there" for name in sorted(found - wanted))


def _metadata_faults(archive: str, raw: bytes, version: str) -> Iterator[str]:
    try:
        said = Metadata.from_email(raw, validate=True)
    except ExceptionGroup as group:
        yield from (f"{archive}: {error}" for error in group.exceptions)
        return
    if (said.name, str(said.version)) != (PACKAGE, version):
        yield f"{archive}: calls itself {said.name} {said.version}, not {PACKAGE} {version}"
    fields: Message = BytesParser().parsebytes(raw)
    if fields["Description-Content-Type"] != "text/markdown" or not markdown.render(said.description or ""):
        yield f"{archive}: its README does not render"
