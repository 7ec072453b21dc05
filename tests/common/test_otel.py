"""Spans reach a collector over HTTP; one that is away costs a line of log and nothing else."""

import threading
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from cronzimus.common import otel
from cronzimus.common.otel import OtelTracer
from tests.common.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture(autouse=True)
def _provider_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "set_tracer_provider", lambda provider: None)


def make_span(tracer: OtelTracer, name: str) -> None:
    with tracer.spanned(name, "internal", {}, span_id=None, trace_id=None, links=(), start_ns=None):
        pass


def test_spans_reach_the_collector(receiver: Receiver) -> None:
    tracer = OtelTracer(f"{receiver.url}/", "test")
    make_span(tracer, "one")
    make_span(tracer, "two")
    tracer.shutdown()
    assert [span.name for span in receiver.spans] == ["one", "two"] and set(receiver.paths) == {"/v1/traces"}


class Moody(SpanExporter):
    """Answers as it was told to, or raises."""

    def __init__(self, *answers: SpanExportResult | Exception) -> None:
        self.answers = list(answers)

    def export(self, spans: object) -> SpanExportResult:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def shutdown(self) -> None:
        """Nothing to close."""


class Lines:
    """What was logged, at which level."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warning(self, text: str) -> None:
        self.said.append(f"warning: {text}")

    def info(self, text: str) -> None:
        self.said.append(f"info: {text}")


def test_outage_of_the_collector_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines()
    monkeypatch.setattr(otel, "_LOG", lines)
    failed, fine = SpanExportResult.FAILURE, SpanExportResult.SUCCESS
    careful = otel._Careful(Moody(fine, failed, OSError("away"), failed, fine, fine, failed))
    for _ in range(7):
        careful.export([])
    assert [line.partition(":")[0] for line in lines.said] == ["warning", "info", "warning"]
    assert careful.force_flush()


def test_collector_that_is_away_does_not_hold_up_the_end() -> None:
    tracer = OtelTracer("http://127.0.0.1:1", "test")
    make_span(tracer, "lost")
    ended = threading.Thread(target=tracer.shutdown, daemon=True)
    ended.start()
    ended.join(20)
    assert not ended.is_alive()
