"""One step of a plan: what a wanted job and the job that stands under its id come to together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cronzimus.models.blackout import Blackout, HouseBlackout
from cronzimus.models.job import JobDefinition, JobStatus, Source
from cronzimus.models.plan import Action, FieldChange, FiringChange, JobPlan, Wanted, differences
from cronzimus.services.foresight import Foreseen, expected, foreseen, paired


class Standing(NamedTuple):
    """A job as it stands."""

    id: str
    version: int
    status: str
    source: str
    next_due_at: datetime | None

    @property
    def paused(self) -> bool:
        """Whether somebody halted it."""
        return self.status == JobStatus.PAUSED


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one job."""

    id: str
    action: Action
    standing: Standing | None
    before: JobDefinition | None
    wanted: Wanted | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def definition_changes(self) -> bool:
        """Whether more than its being paused is different."""
        return any(field.field != "paused" for field in self.fields)

    @property
    def pauses(self) -> bool | None:
        """True or False when it is to be paused or resumed, None when it stays as it is."""
        change = next((field for field in self.fields if field.field == "paused"), None)
        return None if change is None else bool(change.after)


def step_for(wanted: Wanted, row: Standing | None, before: JobDefinition | None) -> Step:
    """What a wanted job asks for; `before` is None where nothing stands, or nothing that can be loaded."""
    document = wanted.definition.document()
    if row is None:
        paused = (FieldChange("paused", False, True),) if wanted.paused else ()
        return Step(wanted.definition.id, Action.CREATE, None, None, wanted, paused)
    fields = list(differences(before.document() if before else {}, document))
    halted = row.status in (JobStatus.ACTIVE, JobStatus.PAUSED) or bool(fields)
    if wanted.paused is not None and wanted.paused != row.paused and halted:
        fields.append(FieldChange("paused", row.paused, wanted.paused))
    action = Action.CHANGE if fields else Action.UNCHANGED
    return Step(row.id, action, row, before, wanted, tuple(fields))


def job_plan(
    step: Step, now: datetime, ahead: int, open_runs: int, house: Sequence[HouseBlackout] = ()
) -> JobPlan:
    """What would become of the job and of its next `ahead` instants."""
    shown = (step.wanted.definition if step.wanted else None) or step.before
    row = step.standing
    firings = () if step.action is Action.UNCHANGED else tuple(_firings(step, now, ahead, house))
    return JobPlan(
        step.id,
        step.action,
        row.source if row else None,
        row.version if row else None,
        shown.zone if shown else "UTC",
        step.fields,
        firings,
        open_runs,
        tuple(_notes(step, now, open_runs)),
    )


def windows_of(definition: JobDefinition, house: Sequence[HouseBlackout]) -> tuple[Blackout, ...]:
    """The blackouts of the house that concern a job."""
    return tuple(one for one in house if one.concerns(definition.id, definition.tags))


def _firings(step: Step, now: datetime, ahead: int, house: Sequence[HouseBlackout]) -> Iterator[FiringChange]:
    before, after = step.before, step.wanted.definition if step.wanted else None
    old = new = Foreseen()
    if before:
        old = foreseen(before, first_before(step), ahead, windows_of(before, house))
    if after:
        new = foreseen(after, first_after(step, now), ahead, windows_of(after, house))
    for move, was, will in paired(old, new):
        yield FiringChange(
            move,
            expected(before, was) if before and was else None,
            expected(after, will) if after and will else None,
        )


def first_before(step: Step) -> datetime | None:
    """The next instant of the job as it stands, None when nothing of it fires."""
    row = step.standing
    return row.next_due_at if row and row.status == JobStatus.ACTIVE else None


def first_after(step: Step, now: datetime) -> datetime | None:
    """The next instant of the job as it is wanted."""
    if step.wanted is None or _is_paused_after(step):
        return None
    if step.standing is not None and not step.definition_changes:
        return step.standing.next_due_at
    return step.wanted.definition.schedule.first_due(now)


def _is_paused_after(step: Step) -> bool:
    if step.pauses is not None:
        return step.pauses
    return step.standing is not None and step.standing.paused


def _notes(step: Step, now: datetime, open_runs: int) -> Iterator[str]:
    row, wanted = step.standing, step.wanted
    if step.action is Action.REMOVE:
        yield "its history stays"
    elif _is_paused_after(step):
        yield "paused: nothing of it fires until it is resumed"
    elif wanted and wanted.definition.schedule.parts and first_after(step, now) is None:
        yield "nothing of it is due any more"
    if row and step.definition_changes and row.source != Source.API:
        yield f"declared by {row.source}; after this the API's version holds"
    if row and step.before is None and step.action is Action.CHANGE:
        yield "broken: the stored definition cannot be loaded"
    if open_runs and step.action is Action.REMOVE:
        yield "runs that wait are cancelled, runs that go on are not"
