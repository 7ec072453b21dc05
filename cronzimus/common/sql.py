"""SQL lives in `.sql` files as named blocks; Python only says the name."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- ([a-z][a-z0-9_]*) --$", re.MULTILINE)


@cache
def queries(package: str, filename: str) -> dict[str, LiteralString]:
    """Every `-- name --` block of a package's SQL file, by name."""
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    _, *parts = _HEADING.split(text)
    return {
        name: cast(LiteralString, body.strip()) for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
