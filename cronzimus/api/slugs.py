"""Names in the path: one that nothing can have is simply not found."""

import re
from collections.abc import Callable

from pydantic import WithJsonSchema

from cronzimus.errors import NotFound
from cronzimus.models.faults import shown
from cronzimus.models.slug import SLUG

AnySlug = WithJsonSchema({"type": "string", "pattern": SLUG})


def slug_of(kind: str, code: str) -> Callable[[object], object]:
    """What checks the name of such a thing."""

    def _known(value: object) -> object:
        if not isinstance(value, str) or not re.fullmatch(SLUG, value):
            raise NotFound(f"no {kind} is called {shown(value)}", code=code)
        return value

    return _known
