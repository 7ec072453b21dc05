"""The graph of the jobs: kept in step with their definitions, and never with a cycle in it or an edge to nobody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cronzimus.common.arrays import array
from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, CronzimusError, Fault, Invalid
from cronzimus.models.graph import cycle_in, in_order, in_words
from cronzimus.models.job import JobDefinition
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.sql", "dependency_graph.sql")
_FIELD = "depends_on"


class DependencyGraph:
    """`keep` and `let_go` belong into the transaction that writes the version. All may raise DatabaseUnavailable.

    Who changes an edge holds the lock of the graph until the end of that transaction: of two changes that would make
    a cycle together, the second sees the first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold_for(self, definition: JobDefinition) -> None:
        """Take the lock before anything of a new job is written, as who waits for it must hold nothing else."""
        if definition.depends_on:
            self._database.execute(_SQL["one_change"])

    def keep(self, definition: JobDefinition, *, is_new: bool = False) -> None:
        """Write what a job depends on; raises Conflict DEPENDENCY_CYCLE, Invalid UNKNOWN_JOB."""
        wanted = definition.depends_on
        if is_new and not wanted:
            return
        if wanted:
            self.hold_for(definition)
            self._check(definition)
        had = self._database.execute(_SQL["forget"], {"id": definition.id})
        if wanted:
            jobs, conditions = (array([one.job for one in wanted]), array([str(one.when) for one in wanted]))
            edges = {"jobs": jobs, "conditions": conditions, "timed": definition.timed}
            self._database.execute(_SQL["write"], {"id": definition.id, **edges})
        if had:
            self._database.execute(_SQL["judge_again"], {"id": definition.id})

    def let_go(self, job_id: str) -> None:
        """Forget a job's edges; raises Conflict JOB_IS_NEEDED while another depends on it."""
        self._database.execute(_SQL["one_change"])
        needed_by = [name for (name,) in self._database.fetch_all(_SQL["needed_by"], {"id": job_id})]
        if needed_by:
            raise Conflict(
                f"job {job_id!r} is needed: {_listed(needed_by)} depends on it; change or delete that first",
                code="JOB_IS_NEEDED",
            )
        self._database.execute(_SQL["forget"], {"id": job_id})

    def order(self, definitions: Sequence[JobDefinition]) -> tuple[str, ...]:
        """In which order jobs can be written, so that each finds what it depends on."""
        return in_order(self._with(definitions))

    def check_together(self, definitions: Sequence[JobDefinition], gone: Iterable[str] = ()) -> None:
        """Refuse changes that would leave a cycle, or an edge to nobody; the faults name documents by their number.

        Raises Conflict DEPENDENCY_CYCLE or JOB_IS_NEEDED, Invalid UNKNOWN_JOB.
        """
        edges, leaving = self._with(definitions), set(gone)
        for job_id in leaving:
            edges.pop(job_id, None)
        ids = [one.id for one in definitions]
        if (path := cycle_in(edges, ids)) is not None:
            number = next((ids.index(job_id) for job_id in path if job_id in ids), 0)
            raise _goes_round(path, f"documents.{number}.{_FIELD}")
        present = ({name for (name,) in self._database.fetch_all(_SQL["everybody"])} | {*ids}) - leaving
        faults = [
            Fault(f"documents.{number}.{fault.field}", fault.message)
            for number, one in enumerate(definitions)
            for fault in _unknown(one, present)
        ]
        if faults:
            raise _refused(faults)
        _refuse_needed(edges, leaving)

    def _check(self, definition: JobDefinition) -> None:
        wanted = [one.job for one in definition.depends_on]
        found = self._database.fetch_all(_SQL["present"], {"ids": array(wanted)})
        if missing := set(wanted) - {name for (name,) in found} - {definition.id}:
            everybody = {name for (name,) in self._database.fetch_all(_SQL["everybody"])}
            raise _refused(list(_unknown(definition, everybody - missing)))
        followers = self._database.fetch_all(_SQL["needed_by"], {"id": definition.id})
        if not followers and definition.id not in wanted:
            return  # no way leads back to a job that nobody follows
        edges = _edges(self._database.fetch_all(_SQL["above"], {"ids": array(wanted)}))
        edges[definition.id] = set(wanted)
        if (path := cycle_in(edges, [definition.id])) is not None:
            raise _goes_round(path, _FIELD)

    def _with(self, definitions: Sequence[JobDefinition]) -> dict[str, set[str]]:
        """Every edge as it would be with these definitions in force."""
        edges = _edges(self._database.fetch_all(_SQL["edges"]))
        return edges | edges_of(definitions)


def edges_of(definitions: Iterable[JobDefinition]) -> dict[str, set[str]]:
    """What some definitions say by themselves."""
    return {one.id: {before.job for before in one.depends_on} for one in definitions}


def refuse_cycle(definitions: Sequence[JobDefinition]) -> None:
    """Raise Conflict DEPENDENCY_CYCLE when these definitions alone go round."""
    if (path := cycle_in(edges_of(definitions))) is not None:
        raise _goes_round(path, _FIELD)


def _edges(rows: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {}
    for job_id, depends_on in rows:
        edges.setdefault(job_id, set()).add(depends_on)
    return edges


def _unknown(definition: JobDefinition, present: set[str]) -> Iterator[Fault]:
    for number, one in enumerate(definition.depends_on):
        if one.job not in present and one.job != definition.id:
            message = f"there is no job {one.job!r}{did_you_mean(one.job, sorted(present))}"
            yield Fault(f"{_FIELD}.{number}.job", message)


def _refuse_needed(edges: Mapping[str, set[str]], leaving: set[str]) -> None:
    for job_id, before in sorted(edges.items()):
        if needed := sorted(before & leaving):
            message = f"job {needed[0]!r} cannot go: {job_id} depends on it"
            raise Conflict(message, code="JOB_IS_NEEDED")


def _refused(faults: list[Fault]) -> Invalid:
    return Invalid(f"{faults[0].field}: {faults[0].message}", code="UNKNOWN_JOB", faults=faults)


def _goes_round(path: tuple[str, ...], field: str) -> CronzimusError:
    message = f"goes round in a circle: {in_words(path)}"
    return Conflict(f"{field}: {message}", code="DEPENDENCY_CYCLE", faults=[Fault(field, message)])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} others" if len(names) > 5 else "")
