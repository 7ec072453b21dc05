"""W3C trace context: the one line by which a trace crosses from one program to the next."""

import re
import secrets
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

_LINE: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_TRACE_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: which one, which span, and whether it is recorded."""

    trace_id: str
    span_id: str
    sampled: bool = True

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"

    def next(self) -> Self:
        """A new span of the same trace."""
        return type(self)(self.trace_id, new_span_id(), self.sampled)


def parse(line: str | None) -> Trace | None:
    """The place a `traceparent` names; None for anything that is not one."""
    found = _LINE.fullmatch((line or "").strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not is_trace_id(trace_id) or not int(span_id, 16):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def is_trace_id(text: str) -> bool:
    """Whether a text can be the id of a trace: 32 lower-case hex digits, not all of them zero."""
    return _TRACE_ID.fullmatch(text) is not None


def new_span_id() -> str:
    """The id of a span that exists nowhere else."""
    return secrets.token_hex(8)


def span_id_of(thing: UUID) -> str:
    """The id of the span that stands for a thing, the same in every process."""
    return thing.hex[16:]
