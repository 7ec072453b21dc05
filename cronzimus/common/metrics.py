"""The one door to prometheus_client: instruments of this process, families read elsewhere, and their text.

Under a server of several processes `PROMETHEUS_MULTIPROC_DIR` names a folder in which they count together;
whichever of them is asked then answers for all. Without it a registry of this process is shown.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, values
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

__all__ = ["Counter", "Gauge", "Histogram"]

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram's sample: cumulative counts, the last one without a bound, and the sum of the values."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric whose values are known elsewhere; `name` without `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels
    values: Mapping[Labels, float | Buckets]


class Registry:
    """The instruments of one part of this process."""

    def __init__(self) -> None:
        # Each would double what is stored, for a moment nobody asks about.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        """What only grows; over several processes it is summed, the dead included."""
        return Counter(name, help, labels, registry=self._registry)

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        """How something stands; over several processes the living are summed."""
        return Gauge(name, help, labels, registry=self._registry, multiprocess_mode="livesum")

    def histogram(
        self, name: str, help: str, labels: Sequence[str] = (), *, bounds: Sequence[float]
    ) -> Histogram:
        """How values spread, in seconds."""
        return Histogram(name, help, labels, registry=self._registry, buckets=bounds)

    def collect(self) -> Iterator[Metric]:
        """What the instruments say now."""
        yield from self._registry.collect()


def exposition(registries: Iterable[Registry], families: Iterable[Family], accept: str) -> tuple[bytes, str]:
    """Everything as text, and its media type: OpenMetrics for those who accept it."""
    encode, media_type = choose_encoder(accept)
    return encode(_Shown(registries, families)), media_type


def begin_counting_together(folder: Path) -> None:
    """Before the first process is forked: a folder for their counts, without those of former ones. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.glob("*.db"):
        old.unlink()
    os.environ[FOLDER_VARIABLE] = str(folder)
    # The library looks for the variable when it is imported, which has happened.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def forget_process(pid: int) -> None:
    """A process has ended: its standing numbers go, what it counted stays."""
    if os.environ.get(FOLDER_VARIABLE):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


class _Shown(Collector):
    """What one answer shows: the instruments of all processes, or of this one, and the families."""

    def __init__(self, registries: Iterable[Registry], families: Iterable[Family]) -> None:
        self._registries, self._families = tuple(registries), tuple(families)

    def collect(self) -> Iterator[Metric]:
        """Each metric once."""
        if os.environ.get(FOLDER_VARIABLE):
            together = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
            yield from together.collect()  # type: ignore[no-untyped-call]
        else:
            for registry in self._registries:
                yield from registry.collect()
        yield from map(_metric, self._families)


def _metric(family: Family) -> Metric:
    if family.kind == "histogram":
        return _histogram(family)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, value in family.values.items():
        if not isinstance(value, Buckets):
            metric.add_metric(labels, value)
    return metric


def _histogram(family: Family) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in family.values.items():
        if isinstance(value, Buckets):
            bounds = [*map(_bound, value.bounds), "+Inf"]
            metric.add_metric(labels, list(zip(bounds, value.counts, strict=True)), value.sum)
    return metric


def _bound(seconds: float) -> str:
    return str(float(seconds))
