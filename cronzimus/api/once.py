"""`Idempotency-Key`: what a client repeats because an answer got lost is not done twice."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from flask import Response, request
from pydantic_core import to_json

from cronzimus.api.security import caller
from cronzimus.api.support import house
from cronzimus.errors import Fault, Invalid
from cronzimus.services.idempotency import Answer, Asked

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"

_LONGEST: Final = 255


def once(given: Any, act: Callable[[], tuple[Any, ...]]) -> Any:
    """What `act` answers (body, status, headers); under a key, what it answered the first time.

    `given` is what the client asked for as plain JSON data: another request under the same key is refused.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        fault = Fault(HEADER, f"must have 1 to {_LONGEST} printable ASCII characters")
        raise Invalid(f"{fault.field}: {fault.message}", faults=[fault])
    route = f"{request.method} {request.path}"
    asked = Asked(caller(), key, route, hashlib.sha256(_canonical(given)).hexdigest())
    return _response(house().operating.idempotency.once(asked, lambda: _answer(act())))


def _canonical(given: Any) -> bytes:
    """The same bytes for the same data, in whatever order it was written."""
    return json.dumps(given, sort_keys=True, default=str).encode()


def _answer(found: tuple[Any, ...]) -> Answer:
    body, status, headers = found
    return Answer(status, dict(headers), to_json(body, inf_nan_mode="null").decode())


def _response(answer: Answer) -> Response:
    headers = {**answer.headers, **({REPLAYED: "true"} if answer.replayed else {})}
    return Response(answer.body, answer.status, headers, mimetype="application/json")
