"""Which Cronzimus this is."""

from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def version() -> str:
    """The installed package's version; in a tree that is not installed, the VERSION file's."""
    try:
        return metadata.version("cronzimus")
    except metadata.PackageNotFoundError:
        return Path(__file__).parent.with_name("VERSION").read_text(encoding="utf-8").strip()
