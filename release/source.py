"""What a release is made of: one commit, its version, its entry in the changelog."""

import io
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
UNRELEASED = "Unreleased"
# What a wheel may be built with; older ones know neither the licence fields nor reproducible archives.
OLDEST_SETUPTOOLS = Version("77")
_SHOWN = 5


class Refused(Exception):
    """A release cannot be made; the message is one sentence that says what would be right."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that is released: its id, when it was made, and the version it calls itself."""

    id: str
    epoch: int
    version: str
    notes_left: bool


def read_commit(root: Path = ROOT) -> Commit:
    """What HEAD would be released as; raises Refused when it cannot be."""
    _refuse_changes(root)
    version = read_version(root)
    titles = entries((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if not titles.get(version):
        raise Refused(f"CHANGELOG.md has no entry [{version}] that says anything, and VERSION names it")
    return Commit(
        id=_git(root, "rev-parse", "HEAD"),
        epoch=int(_git(root, "log", "-1", "--format=%ct")),
        version=version,
        notes_left=bool(titles.get(UNRELEASED)),
    )


def read_version(root: Path) -> str:
    """What VERSION says, when it is a version in its normal form; else Refused."""
    said = (root / "VERSION").read_text(encoding="utf-8").strip()
    try:
        normal = str(Version(said))
    except InvalidVersion:
        raise Refused(f"VERSION says {said!r}, which is no version") from None
    if normal != said:
        raise Refused(f"VERSION says {said!r}; its normal form is {normal!r}")
    return said


def entries(changelog: str) -> dict[str, str]:
    """What the changelog says under each version."""
    parts = re.split(r"^## \[(.+?)\].*$", changelog, flags=re.MULTILINE)
    return {title: text.strip() for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def export(root: Path, into: Path) -> None:
    """The files of HEAD and no others: what lies about in the checkout cannot get into a release."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(into, filter="data")


def _refuse_changes(root: Path) -> None:
    try:
        changed = _git(root, "status", "--porcelain").splitlines()
    except (OSError, subprocess.CalledProcessError):
        raise Refused(f"{root} is no git checkout: a release is made of one commit") from None
    if changed:
        shown = ", ".join(line[3:] for line in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise Refused(f"the tree is not clean, commit or remove first: {shown}{more}")


def _git(root: Path, *words: str) -> str:
    command = ["git", *words]
    # A user's own settings, such as colours, would be read as part of the answer.
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()
