"""Empty environments with the wheel in them, on every Python that was asked for."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from release.smoke import FOLDER
from release.source import Refused

SUPPORTED = ("3.11", "3.12", "3.13")


@dataclass(frozen=True, slots=True)
class Installed:
    """A new environment that holds the wheel, what it cost, and a folder to work in."""

    python: Path
    command: Path
    folder: Path
    seconds: float
    megabytes: float


@contextmanager
def room() -> Iterator[Path]:
    """A place far from the checkout, gone afterwards; others may enter, as PostgreSQL under root is one."""
    home = Path(tempfile.mkdtemp(prefix="cronzimus-release-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def pythons(everyone: bool) -> list[str]:
    """The interpreters to try: this one, or one of every version that is supported; Refused when one lacks."""
    if not everyone:
        return [sys.executable]
    found = {version: find(version) for version in SUPPORTED}
    lacking = [version for version, path in found.items() if path is None]
    if lacking:
        raise Refused(
            f"no Python {', '.join(lacking)} here: install it, or put it on PATH as python{lacking[0]}"
        )
    return [path for path in found.values() if path]


def find(version: str) -> str | None:
    """An interpreter of that version: on PATH, or where pyenv and uv keep theirs."""
    homes = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    kept = [path for home in homes for path in sorted(home.glob(f"*{version}.*/bin/python3"))]
    for path in filter(None, [shutil.which(f"python{version}"), *map(str, kept)]):
        if _version_of(path) == version:
            return path
    return None


def installed(python: str, wheel: Path, home: Path) -> Installed:
    """Install the wheel as people do: `python -m venv`, then pip, which resolves for itself."""
    began = time.monotonic()
    environment = home / "venv 100 %"
    _run(python, "-m", "venv", str(environment))
    own = environment / "bin" / "python"
    _run(str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
    seconds = time.monotonic() - began
    folder = home / FOLDER
    folder.mkdir()
    size = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())
    return Installed(own, own.with_name("cronzimus"), folder, seconds, size / 1e6)


def version_of(python: str) -> str:
    """Which Python that is, as people say it."""
    return _version_of(python) or "?"


def _version_of(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _run(*command: str) -> None:
    # A variable of the caller could bring the checkout back into reach.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise Refused(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
