"""Jobs with due instants of their own: there a cycle is a stretch of time, from the last due instant to this one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cronzimus.common.arrays import array
from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import CronzimusError, DatabaseUnavailable
from cronzimus.models.dependency import Dependency, held_by
from cronzimus.models.job import JobDefinition
from cronzimus.models.occasion import previous_due
from cronzimus.models.run import RunState
from cronzimus.services.definitions import Definitions
from cronzimus.utils.ids import first_id_at
from cronzimus.workers.cycles import Released, Row, dependencies_of, open_run
from cronzimus.workers.dependencies import Skip, Standing, Start, Step, Verdict, Wait, judged, standing_of

_SQL = queries("cronzimus.workers", "releasing.sql")
_EVER: Final = datetime(1970, 1, 2, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
# A run is never older than its moment, but for clocks that differ.
_CLOCKS_DIFFER: Final = timedelta(hours=1)


class Stretches:
    """Lets go, or gives up, the runs that wait for their instant; on the caller's transaction.

    Every decision is a compare-and-set on a run that is still held, so any number of judges may look at one.
    """

    def __init__(self, database: Database, definitions: Definitions) -> None:
        self._database = database
        self._definitions = definitions

    def follow(self, ended: Sequence[Row], born: Sequence[Row]) -> tuple[list[Released], list[Row]]:
        """Judge runs born waiting and those that wait for ended ones; what started, and what to look at again."""
        waiting = {row.id: (row, None) for row in born} | self._waiting_for(ended)
        dependencies = dependencies_of(self._database, {row.job_id for row, _ in waiting.values()})
        released: list[Released] = []
        again: list[Row] = []
        for row, by in waiting.values():
            definition = self._loaded(row)
            wanted = dependencies.get(row.job_id, ())
            verdict = self._verdict(row, definition, wanted)
            if verdict is None:
                again.append(row)
            elif (came := self._carry_out(row, definition, verdict, by)) is not None:
                released.append(came)
        return released, again

    def _waiting_for(self, ended: Sequence[Row]) -> dict[object, tuple[Row, Row | None]]:
        """The runs that may wait for these, each with the one that ended."""
        ends = {row.job_id: row for row in ended}
        pairs = self._database.fetch_all(_SQL["timed_downstream"], {"jobs": array(ends)}) if ends else []
        if not pairs:
            return {}
        followers = {follower: ends[before] for before, follower in pairs}
        held = (Row(*row) for row in self._database.fetch_all(_SQL["held"], {"ids": array(followers)}))
        waiting: dict[object, tuple[Row, Row | None]] = {row.id: (row, followers[row.job_id]) for row in held}
        for before, follower in pairs:
            for row in ended:
                if row.job_id == before and (given_up := self._given_up(follower, row)) is not None:
                    waiting[given_up.id] = (given_up, row)
        return waiting

    def _given_up(self, job_id: str, ended: Row) -> Row | None:
        """The run that was given up in the stretch an ended run belongs to."""
        job = self._database.fetch_one(_SQL["jobs"], {"ids": array([job_id])})
        definition = self._definitions.get_many([(job_id, job[1])]).get((job_id, job[1])) if job else None
        if not isinstance(definition, JobDefinition):
            return None
        due_at = definition.schedule.next_after(ended.moment - _TICK)
        row = self._database.fetch_one(_SQL["cancelled_at"], {"job_id": job_id, "due_at": due_at})
        return Row(*row) if row else None

    def _loaded(self, row: Row) -> JobDefinition | None:
        try:
            return self._definitions.get(row.job_id, row.version)
        except DatabaseUnavailable:
            raise
        except CronzimusError:
            return None

    def _verdict(
        self, row: Row, definition: JobDefinition | None, wanted: tuple[Dependency, ...]
    ) -> Verdict | None:
        """What becomes of a run; None while an instant of its own stretch is not decided yet."""
        if definition is None or row.due_at is None or not wanted:
            return Start({})
        names = [one.job for one in wanted]
        undecided = self._database.fetch_one(_SQL["not_decided"], {"ids": array(names), "due_at": row.due_at})
        if undecided is not None:
            return None
        start = previous_due(definition.schedule, row.due_at) or _EVER
        return judged(wanted, self._standing(names, start, row.due_at))

    def _standing(self, names: Iterable[str], start: datetime, end: datetime) -> dict[str, Standing]:
        oldest = first_id_at(start - _CLOCKS_DIFFER)
        params = {"jobs": array(names), "start": start, "end": end, "oldest_id": oldest}
        steps: dict[str, list[Step]] = {}
        for job_id, *rest in self._database.fetch_all(_SQL["latest_between"], params):
            steps.setdefault(job_id, []).append(Step(*rest))
        return {job_id: stands for job_id, some in steps.items() if (stands := standing_of(some))}

    def _carry_out(
        self, row: Row, definition: JobDefinition | None, verdict: Verdict, by: Row | None
    ) -> Released | None:
        if row.state == RunState.CANCELLED:
            is_start = isinstance(verdict, Start) and definition is not None and by is not None
            return self._after_all(row, definition, verdict, by) if is_start else None  # type: ignore[arg-type]
        if isinstance(verdict, Wait):
            self._database.execute(_SQL["wait"], {"id": row.id, "held_by": held_by(verdict.on)})
        elif isinstance(verdict, Skip):
            error = {"type": "DependencyFailed", "category": "BUSINESS", "message": verdict.because}
            self._database.execute(_SQL["give_up"], {"id": row.id, "error": as_json(error)})
        elif self._database.execute(_SQL["let_go"], {"id": row.id, "inputs": as_json(dict(verdict.inputs))}):
            return Released(row.id, row.job_id, row.trace_id, True, by.id if by else None)
        return None

    def _after_all(self, row: Row, definition: JobDefinition, start: Start, by: Row) -> Released | None:
        """What it depends on was repeated: the instant that was given up gets another run, once."""
        trace_id, due_at = row.trace_id, row.due_at
        return open_run(self._database, definition, row.version, trace_id, by.id, due_at, start, row.params)
