"""One trace from what asked for a run to the last thing it did, whoever executes it."""

from collections.abc import Iterator

import pytest

from cronzimus.common.telemetry import current_trace, is_tracing, within
from cronzimus.models.run import Claim
from cronzimus.services import tracing
from cronzimus.settings import Settings
from cronzimus.utils.traceparent import Trace, parse, span_id_of
from tests.common.spans import Collector, collecting, parent_id, span_id, trace_id
from tests.heart import Heart

HERE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting(monkeypatch) as made:
        yield made


def claimed(heart: Heart) -> Claim:
    (claim,) = heart.claim(heart.offered)
    return claim


def test_run_belongs_to_the_trace_that_asked_for_it(heart: Heart) -> None:
    heart.add()
    with within(HERE):
        run = heart.runs.trigger("a", by="me")
    assert run.trace_id == HERE.trace_id == claimed(heart).trace_id


def test_run_that_nothing_traced_asked_for_begins_a_trace(heart: Heart) -> None:
    heart.add()
    assert (run := heart.runs.trigger("a", by="me")).trace_id == run.id.hex
    with tracing.executing(claimed(heart), "w"):
        here = current_trace()
    assert here is not None and here.trace_id == run.id.hex


def test_spans_of_a_run_by_hand(heart: Heart, collector: Collector) -> None:
    heart.add()
    with within(HERE):
        run = heart.runs.trigger("a", by="me")
    with tracing.executing(claimed(heart), "w") as told:
        told.fail("badly")
    spans = collector.spans()
    opened, ran = spans["open a"], spans["run a"]
    assert trace_id(opened) == trace_id(ran) == HERE.trace_id
    assert parent_id(opened) == HERE.span_id and span_id(opened) == span_id_of(run.id) == parent_id(ran)
    assert not ran.status.is_ok and opened.status.is_ok
    statements = [span for name, span in spans.items() if name == "INSERT"]
    assert statements and parent_id(statements[0]) == span_id(opened)
    assert ran.attributes is not None and ran.attributes["cronzimus.attempt"] == 1


def test_spans_of_a_firing(heart: Heart, collector: Collector) -> None:
    heart.add(trigger={"type": "interval", "hours": 1})
    heart.make_due("a")
    (offer,) = heart.fire()
    (claim,) = heart.claim([offer])
    with tracing.executing(claim, "w"):
        pass
    spans = collector.spans()
    woke, fired, ran = spans["wake-up"], spans["fire a"], spans["run a"]
    assert trace_id(fired) == trace_id(ran) == claim.trace_id == offer.run_id.hex
    assert parent_id(fired) is None and parent_id(ran) == span_id(fired)
    assert trace_id(woke) != trace_id(fired) and fired.links[0].context.span_id == woke.context.span_id
    assert woke.attributes is not None and woke.attributes["cronzimus.fired"] == 1
    assert fired.attributes is not None and str(fired.attributes["cronzimus.due_at"]).endswith("+00:00")
    assert parent_id(spans["WITH"]) == span_id(woke)


def test_firing_that_opened_nothing_has_no_span(heart: Heart, collector: Collector) -> None:
    heart.add(trigger={"type": "interval", "hours": 1}, policy={"overlap": "skip"})
    heart.runs.trigger("a", by="me")
    heart.make_due("a")
    assert heart.fire() == []
    spans = collector.spans()
    assert "fire a" not in spans and "wake-up" in spans


def test_child_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with within(HERE):
        told = tracing.environment(HERE.trace_id)
    assert told == {"TRACEPARENT": str(HERE)}
    monkeypatch.setenv("TRACEPARENT", told["TRACEPARENT"])
    with tracing.from_environment():
        assert current_trace() == HERE
    monkeypatch.setenv("TRACEPARENT", "rubbish")
    with tracing.from_environment():
        assert current_trace() is None


def test_trace_of_a_run_is_not_left_for_another() -> None:
    other = "1" * 32
    assert tracing.environment("short") == {}
    with within(HERE), tracing.continued(other):
        here = current_trace()
    assert here is not None and here.trace_id == other
    with within(HERE), tracing.continued(HERE.trace_id):
        assert current_trace() == HERE
    assert (told := parse(tracing.environment(other)["TRACEPARENT"])) is not None and told.trace_id == other


def test_settings_say_whether_spans_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    tracing.begin_tracing(Settings())
    tracing.begin_tracing(object())
    assert not is_tracing()
    with collecting(monkeypatch):
        tracing.begin_tracing(Settings.model_validate({"telemetry": {"tracing_enabled": True}}))
        assert is_tracing()
    assert not is_tracing()


def test_a_retry_goes_on_in_the_trace_of_what_it_repeats(heart: Heart, collector: Collector) -> None:
    heart.add()
    run = heart.runs.trigger("a", by="me")
    heart.end(claimed(heart))
    heart.offered.clear()
    with within(HERE):
        again = heart.runs.retry(run.id, by="me")
    with tracing.executing(claimed(heart), "w"):
        pass
    spans = collector.spans()
    opened, ran = spans["open a"], spans["run a"]
    assert again.trace_id == run.trace_id == trace_id(opened) == trace_id(ran)
    assert parent_id(opened) == span_id_of(run.id) and parent_id(ran) == span_id(opened) == span_id_of(
        again.id
    )
    assert [link.context.span_id for link in opened.links] == [int(HERE.span_id, 16)]
