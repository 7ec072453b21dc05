"""Spans, and the trace that everything done now belongs to.

Sending spans is optional (`common/otel.py`). While nobody sends any, none is made, but the trace goes on: what
`current_trace` says is what outgoing requests and child processes are told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal, Protocol

from cronzimus.common.masking import mask
from cronzimus.errors import ConfigError
from cronzimus.utils.traceparent import Trace, new_span_id

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]

_MOST_TEXT: Final = 2000
_VALUES: Final = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b", re.DOTALL)

_current: ContextVar[Trace | None] = ContextVar("cronzimus_current_trace", default=None)


class Span:
    """What may be said about a piece of work while it is done; here nobody listens."""

    def say(self, attributes: Attributes) -> None:
        """Say more about it."""

    def fail(self, reason: str) -> None:
        """Say that it failed."""


class Tracer(Protocol):
    """Makes spans and sends them."""

    def current(self) -> Trace | None:
        """Where the library believes us to be."""

    def is_sampled(self, trace_id: str) -> bool:
        """Whether a trace that begins under this id is recorded."""

    def attached(self, trace: Trace) -> AbstractContextManager[None]:
        """Be at that place."""

    def spanned(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        span_id: str | None,
        trace_id: str | None,
        links: Iterable[Trace],
        start_ns: int | None,
    ) -> AbstractContextManager[Span]:
        """A span around what is done inside."""

    def shutdown(self) -> None:
        """Send what has gathered, within seconds."""


@dataclass(slots=True)
class _Process:
    """Spans of one process go one way, so there is one of these."""

    tracer: Tracer | None = None


_process = _Process()
_UNHEARD = Span()


def init_telemetry(*, endpoint: str, service_name: str, exporter: Any = None) -> None:
    """Send spans to the collector from here on; raises ConfigError NO_OTEL when the extra is not installed.

    `exporter` takes the place of the collector's. The sampler is the one that `OTEL_TRACES_SAMPLER` names.
    """
    try:
        otel = import_module("cronzimus.common.otel")
    except ImportError as error:
        raise ConfigError(
            "telemetry.tracing_enabled wants the extra otel: pip install 'cronzimus[otel]'", code="NO_OTEL"
        ) from error
    end_telemetry()
    _process.tracer = otel.OtelTracer(endpoint, service_name, exporter)


def end_telemetry() -> None:
    """Send what has gathered and make no more spans; bounded, whether the collector answers or not."""
    tracer, _process.tracer = _process.tracer, None
    if tracer is not None:
        tracer.shutdown()


def is_tracing() -> bool:
    """Whether spans are made."""
    return _process.tracer is not None


def current_trace() -> Trace | None:
    """The trace that what is done now belongs to, and the span in it."""
    found = _process.tracer.current() if _process.tracer is not None else None
    return found or _current.get()


def is_sampled(trace_id: str) -> bool:
    """Whether a trace that begins under this id is recorded; every process answers the same."""
    return _process.tracer is None or _process.tracer.is_sampled(trace_id)


@contextmanager
def within(trace: Trace | None) -> Iterator[None]:
    """What is done inside belongs to `trace`; with None nothing changes."""
    if trace is None:
        yield
        return
    token = _current.set(trace)
    try:
        if _process.tracer is None:
            yield
        else:
            with _process.tracer.attached(trace):
                yield
    finally:
        _current.reset(token)


@contextmanager
def span(
    name: str,
    kind: Kind = "internal",
    attributes: Attributes | None = None,
    *,
    span_id: str | None = None,
    trace_id: str | None = None,
    links: Iterable[Trace] = (),
    start_ns: int | None = None,
) -> Iterator[Span]:
    """A piece of work within the current trace; without one it begins `trace_id`, or a trace of its own.

    An exception marks the span and passes on. While nobody sends spans, this only moves on within the trace.
    """
    if _process.tracer is None:
        with within(_moved_on(span_id, trace_id)):
            yield _UNHEARD
        return
    options: dict[str, Any] = {"span_id": span_id, "trace_id": trace_id, "links": links, "start_ns": start_ns}
    with _process.tracer.spanned(name, kind, attributes or {}, **options) as heard:
        yield heard


@contextmanager
def statement_span(query: object) -> Iterator[None]:
    """One SQL statement inside of something that is traced; told without values, and only if it is plain text."""
    if _process.tracer is None or current_trace() is None:
        yield
        return
    text = without_values(
        query.decode() if isinstance(query, bytes) else query if isinstance(query, str) else ""
    )
    with span(text.partition(" ")[0].upper()[:30] or "SQL", "client") as told:
        told.say({"db.system.name": "postgresql", "db.query.text": text})
        yield


def without_values(sql: str) -> str:
    """A statement on one line, without comment lines, literals and numbers; bounded."""
    lines = [line for line in sql.splitlines() if not line.lstrip().startswith("--")]
    return _VALUES.sub("?", " ".join(" ".join(lines).split()))[:_MOST_TEXT]


def tellable(attributes: Attributes) -> dict[str, str | int | float | bool]:
    """Attributes without secrets, bounded."""
    return {
        name: mask(value)[:_MOST_TEXT] if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def _moved_on(span_id: str | None, trace_id: str | None) -> Trace | None:
    current = _current.get()
    if current is not None:
        return Trace(current.trace_id, span_id or new_span_id(), current.sampled)
    return Trace(trace_id, span_id or new_span_id()) if trace_id else None
