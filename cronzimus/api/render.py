"""The nouns of the house as plain data for an answer: built by hand, because lists are long."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cronzimus.models.firing import Firing
from cronzimus.models.hold import words
from cronzimus.models.job import Job
from cronzimus.models.log_line import StoredLine
from cronzimus.models.plan import Drifted, TimetablePlan
from cronzimus.models.run import Attempt, Run

if TYPE_CHECKING:
    from cronzimus.services.explain import Explanation
    from cronzimus.services.history import JobVersion


# Fields that documents stored by an earlier version may lack.
_SINCE_THEN: dict[str, Any] = {
    "parameters": None,
    "templates": False,
    "calendar": None,
    "business_day": "skip",
    "blackouts": (),
    "alerts": (),
    "placement": {},
    "depends_on": (),
    "limits": {},
}


def job_view(job: Job) -> dict[str, Any]:
    """The fields of the document, and where the job stands."""
    return {
        **_SINCE_THEN,
        **job.definition,
        "id": job.id,
        "status": job.status,
        "status_reason": job.status_reason,
        "source": job.source,
        "version": job.version,
        "next_run_time": job.next_due_at,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def run_view(run: Run, held: str | None = None) -> dict[str, Any]:
    """Everything about a run but its attempts; `held` is known better by who asked about its queue and its pool."""
    return {
        "id": run.id,
        "job_id": run.job_id,
        "job_version": run.job_version,
        "cause": run.cause,
        "state": run.state,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "due_at": run.due_at,
        "queued_at": run.queued_at,
        "not_before": run.not_before,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_ms": milliseconds(run.started_at, run.ended_at),
        "cancel_requested_at": run.cancel_requested_at,
        "priority": run.priority,
        "queue": run.queue,
        "worker_id": run.worker_id,
        "params": run.params,
        "result": run.result,
        "error": run.error,
        "metrics": run.metrics,
        "trace_id": run.trace_id,
        "parent_run_id": run.parent_run_id,
        "code_revision": run.code_revision,
        "dispatched_at": run.dispatched_at,
        "part": run.part,
        "parts": run.parts,
        "inputs": run.inputs,
        "held_by": run.held_by,
        "held": held or (words(run.held_by) if run.held_by else None),
    }


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    """One try."""
    return {
        "attempt": attempt.attempt,
        "worker_id": attempt.worker_id,
        "state": attempt.state,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "duration_ms": milliseconds(attempt.started_at, attempt.ended_at),
        "error": attempt.error,
    }


def firing_view(firing: Firing) -> dict[str, Any]:
    """One row of the ledger."""
    return {
        "job_id": firing.job_id,
        "due_at": firing.due_at,
        "first_due_at": firing.first_due_at,
        "instants": firing.instants,
        "decision": firing.decision,
        "reason": firing.reason,
        "run_id": firing.run_id,
        "epoch": firing.epoch,
        "decided_by": firing.decided_by,
        "decided_at": firing.decided_at,
        "job_version": firing.job_version,
        "note": firing.note,
    }


def line_view(line: StoredLine) -> dict[str, Any]:
    """One line of a run."""
    return {
        "seq": line.seq,
        "run_id": line.run_id,
        "job_id": line.job_id,
        "attempt": line.attempt,
        "at": line.at,
        "stream": line.stream,
        "level": line.level,
        "logger": line.logger,
        "line": line.line,
    }


def version_view(version: "JobVersion") -> dict[str, Any]:
    """One definition a job had."""
    return {
        "job_id": version.job_id,
        "version": version.version,
        "definition": version.definition,
        "operation": version.operation,
        "changed_by": version.changed_by,
        "changed_at": version.changed_at,
    }


def why_view(why: "Explanation") -> dict[str, Any]:
    """A sentence, and the rows it was read from."""
    return {
        "job_id": why.job_id,
        "at": why.at,
        "due_at": why.due_at,
        "sentence": why.sentence,
        "decision": why.decision,
        "reason": why.reason,
        "firing": firing_view(why.firing) if why.firing else None,
        "run": run_view(why.run) if why.run else None,
    }


def milliseconds(start: datetime | None, end: datetime | None) -> float | None:
    """The time between two instants, once both are known."""
    return (end - start).total_seconds() * 1000 if start and end else None


def plan_view(plan: TimetablePlan) -> dict[str, Any]:
    """A plan whole; `asdict` goes all the way down."""
    return {
        "hash": plan.hash,
        "made_at": plan.made_at,
        "summary": plan.summary,
        "jobs": [asdict(job) for job in plan.jobs],
        "unlisted": plan.unlisted,
        "concurrency": asdict(plan.concurrency),
    }


def drifted_view(one: Drifted) -> dict[str, Any]:
    """One job that is not as declared."""
    return asdict(one)
