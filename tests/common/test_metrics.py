"""Instruments and families become the text that Prometheus reads; several processes count together."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from cronzimus.common.metrics import (
    FOLDER_VARIABLE,
    Buckets,
    Family,
    Registry,
    begin_counting_together,
    exposition,
    forget_process,
)

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
COUNTS_TOGETHER = """
import os, sys
from cronzimus.common.metrics import Registry, exposition
registry = Registry()
registry.counter("a_things", "Things.", ["kind"]).labels("x").inc(3)
registry.gauge("a_pool", "Open.").set(2)
sys.stdout.write(exposition([registry], [], "")[0].decode())
"""


def samples(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for metric in read_text(text.decode())
        for sample in metric.samples
    }


def test_instruments_are_told() -> None:
    registry = Registry()
    registry.counter("a_things", "Things.", ["kind"]).labels("x").inc()
    registry.gauge("a_pool", "Open.").set(2)
    registry.histogram("a_seconds", "Time.", bounds=[1]).observe(1.0)
    told = samples(exposition([registry], [], "")[0])
    assert told[("a_things_total", ("x",))] == 1
    assert told[("a_pool", ())] == 2
    assert told[("a_seconds_bucket", ("1.0",))] == 1
    assert not [name for name, _ in told if name.endswith("_created")]


def test_families_are_told() -> None:
    families = [
        Family("a_runs", "counter", "Runs.", ("status",), {("ok",): 7}),
        Family("a_jobs", "gauge", "Jobs.", (), {(): 3}),
        Family("a_wait", "histogram", "Wait.", ("queue",), {("q",): Buckets((0.5,), (2, 5), 9.5)}),
    ]
    told = samples(exposition([], families, "")[0])
    assert told[("a_runs_total", ("ok",))] == 7 and told[("a_jobs", ())] == 3
    assert told[("a_wait_bucket", ("0.5", "q"))] == 2 and told[("a_wait_bucket", ("+Inf", "q"))] == 5
    assert told[("a_wait_count", ("q",))] == 5 and told[("a_wait_sum", ("q",))] == 9.5


def test_openmetrics_is_told_to_who_accepts_it() -> None:
    family = Family("a_runs", "counter", "Runs.", ("status",), {('it\'s \\ "so"\n',): 7})
    text, media_type = exposition([], [family], OPENMETRICS)
    assert media_type.startswith("application/openmetrics-text") and text.endswith(b"# EOF\n")
    ((metric),) = list(read_openmetrics(text.decode()))
    assert metric.samples[0].labels == {"status": 'it\'s \\ "so"\n'}
    assert exposition([], [family], "text/html")[1].startswith("text/plain")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    together = tmp_path / "together"
    begin_counting_together(together)
    return together


def test_processes_count_together_and_the_dead_stay_counted(folder: Path) -> None:
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", COUNTS_TOGETHER], stdout=subprocess.PIPE)
        told, _ = process.communicate(timeout=30)
    both = samples(told)
    assert both[("a_things_total", ("x",))] == 6 and both[("a_pool", ())] == 4
    forget_process(process.pid)
    left = samples(exposition([], [], "")[0])
    assert left[("a_things_total", ("x",))] == 6 and left[("a_pool", ())] == 2


def test_counting_together_begins_with_nothing(folder: Path) -> None:
    (folder / "counter_1.db").write_bytes(b"old")
    begin_counting_together(folder)
    assert list(folder.iterdir()) == []


def test_instruments_made_after_the_import_count_together(folder: Path) -> None:
    registry = Registry()
    registry.counter("b_things", "Things.").inc()
    assert samples(exposition([], [], "")[0])[("b_things_total", ())] == 1
    assert [path.name.startswith("counter_") for path in folder.iterdir()] == [True]


def test_process_alone_forgets_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    forget_process(1)
