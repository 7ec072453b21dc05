"""The one door to OpenTelemetry, opened only when tracing is wanted: the library is optional."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from cronzimus.common.logger import get_logger
from cronzimus.common.telemetry import Attributes, Kind, Span, tellable
from cronzimus.utils.traceparent import Trace

_LOG = get_logger(__name__)
_EXPORT_SECONDS: Final = 3.0


class OtelTracer:
    """Spans that go to a collector in batches, from a thread of their own."""

    def __init__(self, endpoint: str, service_name: str, exporter: SpanExporter | None = None) -> None:
        # What the library has to say about a collector that is away, it says for every batch.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        url = f"{endpoint.rstrip('/')}/v1/traces"
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service_name}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        careful = _Careful(exporter or OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS))
        self._provider.add_span_processor(BatchSpanProcessor(careful))
        self._tracer = self._provider.get_tracer("cronzimus")
        # For instrumented task functions; a provider that somebody set before stays theirs.
        trace.set_tracer_provider(self._provider)

    def current(self) -> Trace | None:
        """Where the library believes us to be."""
        here = trace.get_current_span().get_span_context()
        if not here.is_valid:
            return None
        return Trace(f"{here.trace_id:032x}", f"{here.span_id:016x}", here.trace_flags.sampled)

    def is_sampled(self, trace_id: str) -> bool:
        """Whether a trace that begins under this id is recorded."""
        asked = self._provider.sampler.should_sample(None, int(trace_id, 16), "")
        return bool(asked.decision.is_sampled())  # type: ignore[no-untyped-call]

    @contextmanager
    def attached(self, place: Trace) -> Iterator[None]:
        """Be at that place."""
        token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(_context(place))))
        try:
            yield
        finally:
            context.detach(token)

    @contextmanager
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
    ) -> Iterator[Span]:
        """A span around what is done inside."""
        with self._ids.preset(trace_id, span_id):
            started = self._tracer.start_span(
                name,
                kind=trace.SpanKind[kind.upper()],
                attributes=tellable(attributes),
                links=[trace.Link(_context(link)) for link in links],
                start_time=start_ns,
            )
        heard = _Heard(started)
        with trace.use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield heard
            except BaseException as error:
                heard.fail(f"{type(error).__name__}: {error}")
                raise

    def shutdown(self) -> None:
        """Send what has gathered, within seconds."""
        self._provider.shutdown()


class _Heard(Span):
    """A span of the library; it is told no traceback, which may hold secrets."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def say(self, attributes: Attributes) -> None:
        """Say more about it."""
        self._span.set_attributes(tellable(attributes))

    def fail(self, reason: str) -> None:
        """Say that it failed."""
        told = str(tellable({"reason": reason})["reason"])
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, told))


class _Ids(RandomIdGenerator):
    """Random ids, unless the next span is to have one that others already know."""

    def __init__(self) -> None:
        self._preset: ContextVar[tuple[str | None, str | None]] = ContextVar(
            "cronzimus_preset_ids", default=(None, None)
        )

    @contextmanager
    def preset(self, trace_id: str | None, span_id: str | None) -> Iterator[None]:
        """The ids of the span that is started inside; the trace's counts only where one begins."""
        token = self._preset.set((trace_id, span_id))
        try:
            yield
        finally:
            self._preset.reset(token)

    def generate_trace_id(self) -> int:
        """Asked for a span without a parent."""
        wanted, _ = self._preset.get()
        return int(wanted, 16) if wanted else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Asked for every span."""
        _, wanted = self._preset.get()
        return int(wanted, 16) if wanted else super().generate_span_id()

    def is_trace_id_random(self) -> bool:
        """Not where a run's id is the trace's."""
        return False


class _Careful(SpanExporter):
    """Sends spans or loses them, never raises, and says once an outage that the collector is away."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these spans, or lose them."""
        try:
            result = self._exporter.export(spans)
        except Exception:
            result = SpanExportResult.FAILURE
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._away:
            _LOG.warning("The collector takes no spans: they are lost, and work goes on")
        elif self._away and not failed:
            _LOG.info("The collector takes spans again")
        self._away = failed
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True


def _context(place: Trace) -> Any:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if place.sampled else trace.TraceFlags.DEFAULT)
    return trace.SpanContext(
        int(place.trace_id, 16), int(place.span_id, 16), is_remote=True, trace_flags=flags
    )
