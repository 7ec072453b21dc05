"""Workflows: the graph around a job, one cycle of it, and trying again what went wrong."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from cronzimus.api.answers import Answer
from cronzimus.api.once import once
from cronzimus.api.queries import JobPath
from cronzimus.api.render import run_view
from cronzimus.api.run_models import RunView
from cronzimus.api.security import caller, needs
from cronzimus.api.support import blueprint, house
from cronzimus.models.dependency import When
from cronzimus.models.workflow import Workflow

api = blueprint("workflows")


class WorkflowPath(BaseModel):
    """Which cycle."""

    trace_id: str = Field(
        pattern=r"^[0-9A-Fa-f-]{32,36}$", description="the trace of the cycle, or the id of any run of it"
    )


class EdgeView(Answer):
    """One job that goes before another."""

    job: str
    follower: str
    when: When


class StepView(Answer):
    """One job in a cycle."""

    job_id: str
    state: str = Field(description="that of its last run in the cycle; waiting or skipped when it had none")
    run_id: UUID | None
    started_at: datetime | None
    ended_at: datetime | None
    note: str | None = Field(description="why it was skipped, what it waits for, or how it failed")


class WorkflowView(Answer):
    """One cycle of a workflow."""

    trace_id: str
    due_at: datetime | None = Field(description="the moment of the run it began with")
    nodes: list[StepView]
    edges: list[EdgeView]


class JobNodeView(Answer):
    """One job of a graph."""

    job_id: str
    status: str


class GraphView(Answer):
    """What a job depends on and what depends on it, however far away."""

    nodes: list[JobNodeView]
    edges: list[EdgeView]


class RerunView(Answer):
    """What was started again."""

    items: list[RunView]


@api.get("/jobs/<job_id>/graph", responses={200: GraphView})
@needs("read")
def get_graph(path: JobPath) -> dict[str, Any]:
    """The jobs around a job: all it depends on, all that depends on it."""
    job = house().timetable.get(path.job_id)
    graph = house().operating.workflows.around(job.id)
    nodes = [{"job_id": node.job_id, "status": node.state} for node in graph.nodes]
    return {"nodes": nodes, "edges": _edges(graph)}


@api.get("/workflows/<trace_id>", responses={200: WorkflowView})
@needs("read")
def get_workflow(path: WorkflowPath) -> dict[str, Any]:
    """One cycle: its jobs, how each of them stands, and what follows what."""
    return workflow_view(house().operating.workflows.cycle(path.trace_id))


@api.post("/workflows/<trace_id>/rerun", responses={202: RerunView})
@needs("operate")
def rerun_workflow(path: WorkflowPath) -> Any:
    """Try again every step that went wrong and was not repeated; what was skipped for its sake follows."""

    def rerun() -> tuple[Any, ...]:
        """The answer to having queued the runs."""
        runs = house().operating.workflows.rerun(path.trace_id, by=caller())
        return {"items": [run_view(run) for run in runs]}, 202, {}

    return once(None, rerun)


def workflow_view(workflow: Workflow) -> dict[str, Any]:
    """A cycle as plain data."""
    nodes = [
        {
            "job_id": node.job_id,
            "state": node.state,
            "run_id": node.run_id,
            "started_at": node.started_at,
            "ended_at": node.ended_at,
            "note": node.note,
        }
        for node in workflow.nodes
    ]
    return {
        "trace_id": workflow.trace_id,
        "due_at": workflow.due_at,
        "nodes": nodes,
        "edges": _edges(workflow),
    }


def _edges(workflow: Workflow) -> list[dict[str, Any]]:
    return [{"job": edge.job, "follower": edge.follower, "when": edge.when} for edge in workflow.edges]
