"""The trace goes on whether or not spans are made; what is sent holds no secrets."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from cronzimus.common import telemetry
from cronzimus.common.telemetry import (
    current_trace,
    end_telemetry,
    init_telemetry,
    is_sampled,
    is_tracing,
    span,
    statement_span,
    within,
    without_values,
)
from cronzimus.errors import ConfigError
from cronzimus.utils.traceparent import Trace
from tests.common.spans import Collector, collecting, parent_id, span_id, trace_id

HERE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting(monkeypatch) as made:
        yield made


def test_trace_goes_on_without_spans() -> None:
    assert current_trace() is None and not is_tracing()
    with within(HERE):
        assert current_trace() == HERE
        with span("work") as heard:
            heard.say({"a": 1})
            heard.fail("badly")
            here = current_trace()
        assert here is not None and here.trace_id == HERE.trace_id and here.span_id != HERE.span_id
        assert current_trace() == HERE
    assert current_trace() is None


def test_without_a_trace_work_begins_none_unless_it_is_named() -> None:
    with span("work"):
        assert current_trace() is None
    with span("work", trace_id=HERE.trace_id, span_id=HERE.span_id):
        assert current_trace() == HERE
    with within(None):
        assert current_trace() is None


def test_spans_are_sent_with_their_parents(collector: Collector) -> None:
    with within(HERE), span("outer", "consumer", {"n": 3}):
        with span("inner") as heard:
            heard.say({"more": "text"})
            here = current_trace()
    spans = collector.spans()
    outer, inner = spans["outer"], spans["inner"]
    assert trace_id(outer) == trace_id(inner) == HERE.trace_id
    assert parent_id(outer) == HERE.span_id and parent_id(inner) == span_id(outer)
    assert outer.attributes is not None and outer.attributes["n"] == 3
    assert inner.attributes is not None and inner.attributes["more"] == "text"
    assert here is not None and here.span_id == span_id(inner)
    assert outer.resource.attributes["service.name"] == "test"


def test_ids_that_others_know_are_kept(collector: Collector) -> None:
    with span("first", trace_id=HERE.trace_id, span_id=HERE.span_id):
        with span("second"):
            pass
    spans = collector.spans()
    assert (trace_id(spans["first"]), span_id(spans["first"])) == (HERE.trace_id, HERE.span_id)
    assert parent_id(spans["second"]) == HERE.span_id != span_id(spans["second"])


def test_span_may_have_begun_earlier_and_be_linked(collector: Collector) -> None:
    with span("late", links=[HERE], start_ns=1_000):
        pass
    late = collector.spans()["late"]
    assert late.start_time == 1_000
    assert [f"{link.context.span_id:016x}" for link in late.links] == [HERE.span_id]


def test_failure_is_told_without_secrets(collector: Collector) -> None:
    with pytest.raises(ValueError), span("work", attributes={"url": "http://me:hunter2@host/?token=hunter3"}):
        raise ValueError("password=hunter4")
    sent = collector.spans()["work"].to_json()
    assert "ValueError" in sent and "hunter" not in sent
    assert collector is not None and "exception.stacktrace" not in sent


def test_trace_that_is_not_recorded_is_not_sent(collector: Collector) -> None:
    with within(Trace(HERE.trace_id, HERE.span_id, sampled=False)), span("quiet"):
        here = current_trace()
        assert here is not None and not here.sampled
    assert "quiet" not in collector.spans()


def test_every_process_samples_alike(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_sampled(HERE.trace_id)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with collecting(monkeypatch):
        assert not is_sampled(HERE.trace_id)
    assert is_sampled(HERE.trace_id)


def test_statements_are_told_only_inside_a_trace(collector: Collector) -> None:
    with statement_span("SELECT 1"):
        pass
    with within(HERE), statement_span(b"-- why --\nUPDATE t SET password = 'hunter2' WHERE id = 7"):
        pass
    spans = collector.spans()
    assert list(spans) == ["UPDATE"]
    assert spans["UPDATE"].attributes is not None
    assert spans["UPDATE"].attributes["db.query.text"] == "UPDATE t SET password = ? WHERE id = ?"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 'it''s', 1.5, x1 FROM t", "SELECT ?, ?, x1 FROM t"),
        ("SELECT $$a 'b'$$, $q$c$q$, $1", "SELECT ?, ?, $?"),
        ("SELECT\n  %(name)s -- 'x\n", "SELECT %(name)s -- 'x"),
        ("", ""),
    ],
)
def test_values_are_taken_out(sql: str, told: str) -> None:
    assert without_values(sql) == told


def test_long_statement_is_cut() -> None:
    assert len(without_values("SELECT a" + ", a" * 10_000)) == 2000


def test_missing_extra_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(telemetry, "import_module", missing)
    with pytest.raises(ConfigError, match=r"cronzimus\[otel\]") as told:
        init_telemetry(endpoint="http://127.0.0.1:1", service_name="test")
    assert told.value.code == "NO_OTEL" and not is_tracing()
    assert import_module("cronzimus.common.otel")


def test_end_may_come_twice(collector: Collector) -> None:
    end_telemetry()
    end_telemetry()
    assert not is_tracing()
