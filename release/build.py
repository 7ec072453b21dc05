"""The source archive and the wheel: the same bytes whoever builds them, wherever and whenever."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.version import Version

from release.source import OLDEST_SETUPTOOLS, Refused

_HOOK = "import sys; from setuptools import build_meta; print(build_meta.{}(sys.argv[1]))"


@dataclass(frozen=True, slots=True)
class Built:
    """The two archives of a version."""

    sdist: Path
    wheel: Path

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each, by name."""
        return {path.name: digest(path) for path in (self.sdist, self.wheel)}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(tree: Path, work: Path, into: Path, epoch: int, **environment: str) -> Built:
    """Build the archive from `tree` and the wheel from the archive, with this environment's setuptools.

    The standard's own hooks are called, as pip and uv do, but without fetching a builder: the lock says which.
    """
    refuse_old_setuptools()
    into.mkdir(parents=True, exist_ok=True)
    given = {**os.environ, **environment, "SOURCE_DATE_EPOCH": str(epoch)}
    raw = work / "raw"
    raw.mkdir(parents=True)
    sdist = into / _call("build_sdist", tree, raw, given)
    sdist.write_bytes(settled((raw / sdist.name).read_bytes(), epoch))
    unpacked = work / "unpacked"
    with tarfile.open(sdist) as packed:
        packed.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return Built(sdist, into / _call("build_wheel", source, into, given))


def refuse_old_setuptools() -> None:
    """Raises Refused when this environment's setuptools cannot build the package."""
    found = Version(metadata.version("setuptools"))
    if found < OLDEST_SETUPTOOLS:
        raise Refused(
            f"setuptools {found} cannot build Cronzimus, {OLDEST_SETUPTOOLS} can: `make install-dev`"
        )


def settled(archive: bytes, epoch: int) -> bytes:
    """A .tar.gz with nothing in it of the machine that packed it: no times, owners, modes, and one order."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as before,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            after.addfile(member, before.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=epoch)


def _call(hook: str, tree: Path, into: Path, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", _HOOK.format(hook), str(into)]
    # The mode of a file gets into a wheel, so nobody's umask may decide it.
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, umask=0o022)
    if done.returncode:
        raise Refused(f"{hook} failed in {tree}:\n{done.stdout}{done.stderr}")
    return done.stdout.splitlines()[-1]
