"""The trace of a run, from what asked for it to the last thing it did.

A run's `trace_id` is its trace's: that of the request that asked for it, else its own id. The span that opened it
has an id that follows from the run's, so that whoever executes it, in any process, knows its parent.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cronzimus.common.telemetry import (
    Span,
    current_trace,
    init_telemetry,
    is_sampled,
    is_tracing,
    span,
    within,
)
from cronzimus.models.run import Claim
from cronzimus.utils.traceparent import Trace, is_trace_id, parse, span_id_of

if TYPE_CHECKING:
    from cronzimus.services.decide import Plan

VARIABLE = "TRACEPARENT"


def begin_tracing(settings: Any) -> None:
    """Send spans, if the settings want it; raises ConfigError NO_OTEL when the extra is not installed."""
    telemetry = getattr(settings, "telemetry", None)
    if telemetry is not None and telemetry.tracing_enabled:
        init_telemetry(endpoint=telemetry.otlp_endpoint, service_name=telemetry.service_name)


def trace_id_of_new(run_id: UUID) -> str:
    """The trace of a run that is opened now."""
    current = current_trace()
    return current.trace_id if current is not None else run_id.hex


@contextmanager
def opening(
    run_id: UUID, job_id: str, cause: str, *, trace_id: str | None = None, after: UUID | None = None
) -> Iterator[Span]:
    """Around what opens a run. In a trace that has begun (`trace_id`) it goes on where the run `after` was opened,
    and who asks for it now is only linked to.
    """
    facts = {"cronzimus.run_id": str(run_id), "cronzimus.job_id": job_id, "cronzimus.cause": cause}
    here = current_trace()
    elsewhere = trace_id is not None and after is not None and (here is None or here.trace_id != trace_id)
    going_on = _place_of(str(trace_id), after) if elsewhere and after else None
    links = [here] if here and going_on else []
    own = span_id_of(run_id)
    with within(going_on):
        with span(f"open {job_id}", "producer", facts, span_id=own, trace_id=run_id.hex, links=links) as told:
            yield told


@contextmanager
def firing(plans: "Sequence[Plan]") -> Iterator[set[UUID]]:
    """Around the commit of a wake-up: its own trace, and in the trace of each run it opened a span linked to it.

    What is put into the set are the runs that were opened.
    """
    opened: set[UUID] = set()
    if not is_tracing():
        yield opened
        return
    began = time.time_ns()
    decided = [row for plan in plans for row in plan.decided]
    counts: dict[str, str | int | float | bool] = {"cronzimus.jobs": len(plans)}
    for row in decided:
        name = f"cronzimus.{row.decision}"
        counts[name] = int(counts.get(name, 0)) + row.instants
    with span("wake-up", attributes=counts):
        yield opened
        here = current_trace()
    for plan in plans:
        for row in plan.decided:
            if row.run_id in opened:
                _fired(plan.definition.id, row, began, [here] if here else [])


def _fired(job_id: str, row: Any, began: int, links: Sequence[Trace]) -> None:
    facts = {
        "cronzimus.run_id": str(row.run_id),
        "cronzimus.job_id": job_id,
        "cronzimus.due_at": row.due_at.isoformat(),
        "cronzimus.decision": str(row.decision),
    }
    ids: dict[str, Any] = {"span_id": span_id_of(row.run_id), "trace_id": row.run_id.hex}
    with span(f"fire {job_id}", "producer", facts, **ids, links=links, start_ns=began):
        return


@contextmanager
def executing(claim: Claim, worker_id: str) -> Iterator[Span]:
    """Around one attempt: what it does goes on in the trace of its run."""
    facts: dict[str, str | int | float | bool] = {
        "cronzimus.run_id": str(claim.run_id),
        "cronzimus.job_id": claim.job_id,
        "cronzimus.attempt": claim.attempt,
        "cronzimus.worker_id": worker_id,
    }
    with within(_opened(claim)), span(f"run {claim.job_id}", "consumer", facts) as told:
        yield told


def continued(trace_id: str) -> AbstractContextManager[None]:
    """Be in that trace, unless we are in it already."""
    current = current_trace()
    if not is_trace_id(trace_id) or (current is not None and current.trace_id == trace_id):
        return within(None)
    return within(Trace(trace_id, trace_id[16:]).next())


def from_environment() -> AbstractContextManager[None]:
    """Go on where the process that started this one is."""
    return within(parse(os.environ.get(VARIABLE)))


def environment(trace_id: str) -> Mapping[str, str]:
    """What a child process is told."""
    with continued(trace_id):
        current = current_trace()
    return {VARIABLE: str(current)} if current is not None else {}


def _opened(claim: Claim) -> Trace | None:
    return _place_of(claim.trace_id, claim.run_id)


def _place_of(trace_id: str, run_id: UUID) -> Trace | None:
    """Where a run was opened in its trace."""
    return Trace(trace_id, span_id_of(run_id), is_sampled(trace_id)) if is_trace_id(trace_id) else None
