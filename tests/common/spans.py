"""A collector in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cronzimus.common.telemetry import end_telemetry, init_telemetry


class Collector:
    """Tracing is on until `spans` is called; it tells what was sent."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        init_telemetry(endpoint="http://127.0.0.1:1", service_name="test", exporter=self._exporter)

    def spans(self) -> dict[str, ReadableSpan]:
        """Every span by its name."""
        end_telemetry()
        return {span.name: span for span in self._exporter.get_finished_spans()}


@contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Have spans collected; the library's own provider is left as it was."""
    monkeypatch.setattr(trace, "set_tracer_provider", lambda provider: None)
    try:
        yield Collector()
    finally:
        end_telemetry()


def trace_id(span: ReadableSpan) -> str:
    """The trace a span belongs to."""
    return f"{span.get_span_context().trace_id:032x}"


def span_id(span: ReadableSpan) -> str:
    """The span's own id."""
    return f"{span.get_span_context().span_id:016x}"


def parent_id(span: ReadableSpan) -> str | None:
    """The id of the span it is part of."""
    return f"{span.parent.span_id:016x}" if span.parent else None
