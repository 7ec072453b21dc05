"""Workflows: the graph around a job, one cycle of it, and trying again what went wrong in a cycle."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.dependency import When, awaited_job
from cronzimus.models.run import Run
from cronzimus.models.workflow import SKIPPED, WAITING, Edge, Node, Workflow
from cronzimus.services.runs import Runs
from cronzimus.utils.traceparent import is_trace_id

_SQL = queries("cronzimus.services.sql", "workflows.sql")
_MOST: Final = 10_000


class Workflows:
    """All may raise DatabaseUnavailable. A cycle is named by its trace, or by any run of it."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    def cycle(self, name: str) -> Workflow:
        """The jobs of a cycle and how they stand in it; raises NotFound WORKFLOW_NOT_FOUND."""
        key = self._key(name)
        rows = self._database.fetch_all(_SQL["runs"], key)
        if not rows:
            raise _unknown(name)
        nodes = {node.job_id: node for node in self._given(rows)} | {row[0]: _node(*row[:7]) for row in rows}
        skipped = self._database.fetch_all(_SQL["skipped"], key)
        nodes = {job_id: Node(job_id, SKIPPED, note=note) for job_id, note in skipped} | nodes
        below = {
            name
            for (name,) in self._database.fetch_all(_SQL["below"], {"ids": array(row[0] for row in rows)})
        }
        edges = self._edges({*below, *(job_id for job_id, _ in skipped)})
        for job_id in sorted({*below, *(edge.job for edge in edges)} - nodes.keys()):
            nodes[job_id] = Node(job_id, WAITING)
        (due_at,) = self._database.fetch_one(_SQL["moment"], key) or (None,)
        return Workflow(key["trace_id"], due_at, tuple(nodes[job_id] for job_id in sorted(nodes)), edges)

    def around(self, job_id: str) -> Workflow:
        """Everything a job depends on and everything that depends on it; it alone when there is nothing."""
        ids = [name for (name,) in self._database.fetch_all(_SQL["around"], {"id": job_id})]
        known = self._database.fetch_all(_SQL["statuses"], {"ids": array(ids)})
        present = {name for name, _ in known}
        edges = tuple(edge for edge in self._edges(present) if edge.job in present)
        return Workflow(None, None, tuple(Node(name, status) for name, status in known), edges)

    def rerun(self, name: str, *, by: str) -> tuple[Run, ...]:
        """Try again every step of a cycle that went wrong and was not repeated; the rest follows by itself.

        Raises NotFound WORKFLOW_NOT_FOUND, Conflict NOTHING_TO_RERUN.
        """
        key = self._key(name)
        with self._database.transaction():
            self._database.execute(_SQL["one_judge"], {"trace_id": key["trace_id"]})
            if self._database.fetch_one(_SQL["moment"], key) is None:
                raise _unknown(name)
            wrong = [run_id for (run_id,) in self._database.fetch_all(_SQL["repeatable"], key)]
            if not wrong:
                raise Conflict(
                    "no step of this cycle went wrong and waits to be repeated", code="NOTHING_TO_RERUN"
                )
            return tuple(self._runs.retry(run_id, by=by) for run_id in wrong)

    def _key(self, name: str) -> dict[str, Any]:
        """The trace, and the run that may have begun it under its own id."""
        text = name.replace("-", "").lower()
        if not is_trace_id(text):
            raise _unknown(name)
        key = {"trace_id": text, "root": UUID(text)}
        if self._database.fetch_one(_SQL["moment"], key) is None:
            found = self._database.fetch_one(_SQL["trace_of"], {"id": UUID(text)})
            return {"trace_id": found[0], "root": _uuid(found[0])} if found else key
        return key

    def _given(self, rows: Sequence[tuple[Any, ...]]) -> Iterable[Node]:
        """The runs of other cycles that these were given: what a job with its own due instants waited for."""
        named = [run for *_, inputs in rows for given in (inputs or {}).values() for run in _listed(given)]
        found = self._database.fetch_all(_SQL["runs_named"], {"ids": array(named)}) if named else []
        return [_node(*row[:7]) for row in found]

    def _edges(self, job_ids: Iterable[str]) -> tuple[Edge, ...]:
        rows = self._database.fetch_all(_SQL["edges_into"], {"ids": array(job_ids)})
        return tuple(Edge(job, follower, When(when)) for job, follower, when in rows[:_MOST])


def _node(
    job_id: str,
    run_id: UUID,
    state: str,
    started_at: Any,
    ended_at: Any,
    held_by: str | None,
    error: str | None,
) -> Node:
    held = awaited_job(held_by)
    return Node(job_id, state, run_id, started_at, ended_at, f"waits for {held}" if held else error)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given] if given else []


def _uuid(trace_id: str) -> UUID | None:
    return UUID(trace_id) if is_trace_id(trace_id) else None


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no workflow with the trace or run {name[:60]!r}", code="WORKFLOW_NOT_FOUND")
