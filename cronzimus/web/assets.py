"""The pages' own files: read once, served under one name for all of them that changes when any changes."""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from flask import Response, abort

from cronzimus.api.security import anyone
from cronzimus.web.room import room

pages = room("static")

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SERVED: Final = (".css", ".js", ".svg")


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by its path below `static/`; `digest` names this very set of files."""

    digest: str
    files: Mapping[str, bytes]


@pages.get("/static/<digest>/<path:name>")
@anyone
def get_file(digest: str, name: str) -> Response:
    """One file; a name that is not among them leads nowhere, whatever it looks like."""
    held = assets()
    if name not in held.files:
        abort(404)
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kept = _FOR_EVER if digest == held.digest else "no-cache"
    response = Response(held.files[name], mimetype=mimetype, headers={"Cache-Control": kept})
    response.set_etag(held.digest)
    return response


def asset(name: str) -> str:
    """The address of a file; a misspelt one is found when the page is drawn first."""
    held = assets()
    if name not in held.files:
        raise LookupError(f"there is no static/{name}")
    return f"/static/{held.digest}/{name}"


@cache
def assets() -> Assets:
    """The files of the package; they do not change while it runs."""
    found = dict(sorted(_walk(files("cronzimus").joinpath("static"), "")))
    digest = hashlib.sha256()
    for name, content in found.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return Assets(digest.hexdigest()[:16], found)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SERVED):
            yield prefix + entry.name, entry.read_bytes()
