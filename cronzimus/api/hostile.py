"""The one decoder for what strangers send: bounded before it is parsed, refused with a reason.

No other place of the front reads a body. The cost of a refusal is a few milliseconds, whatever the bytes are.
"""

import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from pydantic_core import from_json

from cronzimus.errors import CronzimusError

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000
MAX_KEYS: Final = 1_000
MAX_KEY_LENGTH: Final = 200
MAX_INTEGER: Final = 2**63 - 1

_CHUNK: Final = 64 * 1024
_DRAIN_BYTES: Final = 64 * 1024 * 1024
_DRAIN_SECONDS: Final = 3.0
_POSITION: Final = re.compile(r" at (line \d+ column \d+)$")
_LONGEST_NUMBER: Final = 400


class Malformed(CronzimusError):
    """The request cannot be read at all."""

    code = "MALFORMED_JSON"


class TooLarge(CronzimusError):
    """The body is longer than the service accepts."""

    code = "BODY_TOO_LARGE"


class WrongType(CronzimusError):
    """The body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"


def read_body(stream: IO[bytes], *, announced: int | None, limit: int) -> bytes:
    """Everything the client sends, or TooLarge as soon as it is known to exceed `limit` bytes."""
    size = announced or 0
    chunks = []
    if size <= limit:
        size = 0
        while size <= limit and (chunk := stream.read(min(_CHUNK, limit + 1 - size))):
            chunks.append(chunk)
            size += len(chunk)
    if size > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; api.max_request_size_mb sets the limit")
    return b"".join(chunks)


def drain(stream: IO[bytes]) -> bool:
    """Read on until the client has said everything, within bounds; True when nothing is left.

    A server that closes with bytes unread makes the kernel reset the connection, and the client
    loses the answer it should read.
    """
    deadline = time.monotonic() + _DRAIN_SECONDS
    for _ in range(_DRAIN_BYTES // _CHUNK):
        if not stream.read(_CHUNK):
            return True
        if time.monotonic() > deadline:
            return False
    return False


def check_content_type(mimetype: str, charset: str | None) -> None:
    """Accept JSON in UTF-8 and nothing else; a form or plain text could be sent by any web page."""
    if mimetype != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", mimetype):
        given = f", not {mimetype[:60]!r}" if mimetype else ""
        raise WrongType(f"send the body as Content-Type: application/json{given}")
    if charset and charset.strip("\"'").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise WrongType(f"JSON travels as UTF-8, not {charset[:60]!r}")


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; Malformed says what is wrong with anything else."""
    _refuse_bulk(body)
    text = _text(body)
    _refuse_bad_grammar(body)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except ValueError:
        raise Malformed("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise Malformed(f"the body must be a JSON object, not {_noun(value)}", code="BODY_NOT_OBJECT")
    _refuse_deep_or_unclean(value)
    return value


def refuse_unclean(name: str, text: str) -> None:
    """Refuse NUL and lone surrogates: no PostgreSQL text can hold them."""
    if "\0" in text or _has_surrogate(text):
        raise Malformed(f"{name} holds a character that text cannot hold", code="INVALID_CHARACTER")


def _refuse_bulk(body: bytes) -> None:
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise Malformed(f"the body holds more than {MAX_VALUES} values", code="BODY_TOO_COMPLEX")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} of the body is not UTF-8", code="INVALID_ENCODING") from None


def _refuse_bad_grammar(body: bytes) -> None:
    """Let the Rust parser look first: it is fast, keeps its own depth, and needs no Python stack."""
    try:
        from_json(body, allow_inf_nan=True, cache_strings=False)
    except ValueError as error:
        raise _explained(str(error)) from None


def _explained(reason: str) -> Malformed:
    found = _POSITION.search(reason)
    place = f" (at {found[1]})" if found else ""
    if "recursion" in reason:
        return Malformed(f"the body is nested deeper than {MAX_DEPTH} levels", code="BODY_TOO_DEEP")
    if "out of range" in reason:
        return Malformed(f"a number does not fit in 64 bits{place}", code="NUMBER_OUT_OF_RANGE")
    if "hex escape" in reason:
        return Malformed(f"a text holds half of a surrogate pair{place}", code="INVALID_CHARACTER")
    if reason.startswith("EOF"):
        return Malformed(f"the body ends in the middle of a value{place}")
    return Malformed(f"the body is not valid JSON{place}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(pairs) > MAX_KEYS:
        raise Malformed(f"an object in the body has more than {MAX_KEYS} keys", code="BODY_TOO_COMPLEX")
    if len(value) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise Malformed(f"the key {twice[:60]!r} appears twice in one object", code="DUPLICATE_KEY")
    return value


def _integer(text: str) -> int:
    if len(text) <= 20 and -MAX_INTEGER - 1 <= (value := int(text)) <= MAX_INTEGER:
        return value
    raise Malformed(f"the number {text[:40]} does not fit in 64 bits", code="NUMBER_OUT_OF_RANGE")


def _float(text: str) -> float:
    if len(text) <= _LONGEST_NUMBER and math.isfinite(value := float(text)):
        return value
    raise Malformed(f"the number {text[:40]} does not fit in 64 bits", code="NUMBER_OUT_OF_RANGE")


def _constant(text: str) -> float:
    raise Malformed(f"{text} is not a JSON number", code="NUMBER_OUT_OF_RANGE")


def _refuse_deep_or_unclean(value: dict[str, Any]) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = list(_containers_inside(level))
        if not level:
            return
    raise Malformed(f"the body is nested deeper than {MAX_DEPTH} levels", code="BODY_TOO_DEEP")


def _containers_inside(level: Iterable[Any]) -> Iterator[Any]:
    for node in level:
        for key in node if isinstance(node, dict) else ():
            _refuse_odd_key(key)
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, str):
                refuse_unclean("a text in the body", child)
            elif isinstance(child, dict | list):
                yield child


def _refuse_odd_key(key: str) -> None:
    refuse_unclean("a key of the body", key)
    if len(key) > MAX_KEY_LENGTH:
        raise Malformed(
            f"a key of the body has more than {MAX_KEY_LENGTH} characters", code="BODY_TOO_COMPLEX"
        )


def _has_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _noun(value: Any) -> str:
    names = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
