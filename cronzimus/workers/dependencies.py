"""Whether a job may start after those it depends on: judgements about one cycle, without I/O.

A cycle is one pass through a workflow; all its runs share a trace. In it a job *stands* somehow: its latest run is
open or has ended, or it was skipped. The parts of one run count as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from cronzimus.models.dependency import Dependency, When
from cronzimus.models.run import OPEN, RunState

_WELL: Final = frozenset({RunState.SUCCESS, RunState.PARTIAL})
# A run that was cancelled, and a job that was skipped, did not fail: nobody need clean up after them.
_FAILED: Final = frozenset({RunState.FAILED, RunState.TIMEOUT, RunState.LOST})


class Outcome(StrEnum):
    """What a job came to in a cycle, as far as others ask."""

    OPEN = "open"
    WELL = "well"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


_FULFILS: Final[Mapping[When, frozenset[Outcome]]] = {
    When.SUCCESS: frozenset({Outcome.WELL}),
    When.FAILURE: frozenset({Outcome.FAILED}),
    When.ALWAYS: frozenset(Outcome) - {Outcome.OPEN},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One run of a job in a cycle."""

    run_id: UUID
    state: RunState
    part: int | None = None
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands in a cycle, and the runs that say so: none of one that was skipped, else one or its parts."""

    outcome: Outcome
    word: str
    run_ids: tuple[UUID, ...] = ()
    in_parts: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Not decided: one of its dependencies has not ended."""

    on: str


@dataclass(frozen=True, slots=True)
class Start:
    """Every dependency has ended as wanted; `inputs` names the runs of each job."""

    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Skip:
    """Every dependency is decided and one of them not as wanted; `because` says which, and how it ended."""

    because: str


Verdict = Wait | Start | Skip

SKIPPED: Final = Standing(Outcome.SKIPPED, "was skipped")


def standing_of(steps: Sequence[Step]) -> Standing | None:
    """How a job stands by its runs, first to last: the last one counts, or the last of each part. None without any."""
    if not steps:
        return None
    last = steps[-1]
    if last.part is None:
        return Standing(_outcome(last.state), _told(last.state), (last.run_id,))
    latest = {step.part: step for step in steps if step.parts == last.parts}
    parts = [latest[part] for part in sorted(latest, key=lambda part: part or 0)]
    worst = next((part for part in parts if part.state in OPEN), None) or next(
        (part for part in parts if part.state not in _WELL), None
    )
    run_ids = tuple(part.run_id for part in parts)
    if worst is None:
        return Standing(Outcome.WELL, _told(RunState.SUCCESS), run_ids, in_parts=True)
    outcome = Outcome.OPEN if worst.state in OPEN else Outcome.FAILED
    return Standing(outcome, f"{_told(worst.state)} in part {worst.part}", run_ids, in_parts=True)


def judged(dependencies: Iterable[Dependency], standing: Mapping[str, Standing]) -> Verdict:
    """What becomes of a job; one that is missing in `standing` has had no run yet."""
    unmet: str | None = None
    inputs: dict[str, object] = {}
    for wanted in dependencies:
        stands = standing.get(wanted.job)
        if stands is None or stands.outcome is Outcome.OPEN:
            return Wait(wanted.job)
        if unmet is None and stands.outcome not in _FULFILS[wanted.when]:
            unmet = _unmet(wanted, stands)
        inputs[wanted.job] = _input(stands)
    return Start(inputs) if unmet is None else Skip(unmet)


def _outcome(state: RunState) -> Outcome:
    if state in OPEN:
        return Outcome.OPEN
    if state in _WELL:
        return Outcome.WELL
    return Outcome.FAILED if state in _FAILED else Outcome.CANCELLED


def _told(state: RunState) -> str:
    return {RunState.CANCELLED: "was cancelled", RunState.LOST: "was lost"}.get(state, f"ended {state}")


def _unmet(wanted: Dependency, stands: Standing) -> str:
    expected = " and should have failed" if wanted.when is When.FAILURE else ""
    return f"{wanted.job} {stands.word}{expected}"


def _input(stands: Standing) -> object:
    """A run by its id, the parts of one by a list, nothing by nothing."""
    ids = [str(run_id) for run_id in stands.run_ids]
    return ids if stands.in_parts else next(iter(ids), None)
