"""What becomes of each due instant: a pure function of the definition, the clock and what is still open."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from cronzimus.models.blackout import Blackout
from cronzimus.models.firing import Decision, Reason
from cronzimus.models.job import JobDefinition, JobStatus
from cronzimus.models.policy import CatchUp, Overlap, Policy
from cronzimus.services.off import AT_ONCE, Start, sort_out
from cronzimus.utils.ids import new_id

# One wake-up walks at most so many instants of one job; the next continues where it stopped.
MAX_WALK = 20_000
# Under `catch_up: none` an instant this much late still counts as on time.
ON_TIME = timedelta(seconds=5)

_ALL_AT_ONCE: Mapping[datetime, Start] = {}
_HALTED = {JobStatus.PAUSED: Reason.PAUSED, JobStatus.BROKEN: Reason.BROKEN}


@dataclass(frozen=True, slots=True)
class Decided:
    """One ledger row to be: an instant, or a range of `instants` of them from `first_due_at` to `due_at`."""

    due_at: datetime
    decision: Decision
    reason: Reason | None = None
    run_id: UUID | None = None
    not_before: datetime | None = None
    first_due_at: datetime | None = None
    instants: int = 1
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one wake-up does for one job."""

    definition: JobDefinition
    version: int
    status: JobStatus
    due_at: datetime
    decided: tuple[Decided, ...]
    next_due_at: datetime | None
    replaces: bool = False


def plan(
    definition: JobDefinition,
    version: int,
    status: JobStatus,
    due_at: datetime,
    now: datetime,
    open_runs: int,
    blackouts: Sequence[Blackout] = (),
) -> Plan:
    """Decide every instant from `due_at` up to `now`.

    `open_runs` counts the job's unfinished runs, `blackouts` are those of the house that concern it.
    """
    instants, next_due_at = _walk(definition, due_at, now)
    reached_now = next_due_at is None or next_due_at > now
    windows = (*definition.blackouts, *blackouts)
    if status in _HALTED:
        judged: Iterable[Decided] = (Decided(at, Decision.SKIPPED, _HALTED[status]) for at in instants)
    elif definition.calendar is None and not windows:
        judged = _judge(definition, instants, now, open_runs, reached_now)
    else:
        judged = _judge_around(definition, windows, instants, now, open_runs, reached_now)
    decided = _summarise(judged, definition.policy.catch_up_cap)
    fires = any(row.decision is Decision.FIRED for row in decided)
    replaces = fires and open_runs > 0 and definition.policy.overlap is Overlap.REPLACE
    return Plan(definition, version, status, due_at, decided, next_due_at, replaces)


def settle(
    definition: JobDefinition, status: JobStatus, due_at: datetime | None, now: datetime
) -> tuple[Decided, ...]:
    """The rows for instants that had come, up to `now`, when the definition they belong to was changed."""
    reason = _HALTED.get(status, Reason.SUPERSEDED)
    rows: list[Decided] = []
    while due_at is not None and due_at <= now:
        instants, due_at = _walk(definition, due_at, now)
        rows += [Decided(at, Decision.SKIPPED, reason) for at in instants]
    return _summarise(rows, definition.policy.catch_up_cap)


def _walk(
    definition: JobDefinition, due_at: datetime, now: datetime
) -> tuple[list[datetime], datetime | None]:
    next_after = definition.schedule.next_after
    instants = [due_at]
    following = next_after(due_at)
    while following is not None and following <= now and len(instants) < MAX_WALK:
        instants.append(following)
        following = next_after(following)
    return instants, following


def _judge_around(
    definition: JobDefinition,
    windows: Sequence[Blackout],
    instants: list[datetime],
    now: datetime,
    open_runs: int,
    newest: bool,
) -> list[Decided]:
    """Time off decides first: whether anybody came too late for a day off does not matter."""
    found = sort_out(definition, windows, instants)
    rows = [Decided(off.at, Decision.SKIPPED, off.reason, note=off.note) for off in found.off]
    rows += [Decided(off.at, Decision.COALESCED, off.reason, note=off.note) for off in found.together]
    rows += _judge(definition, found.due, now, open_runs, newest, found.starts)
    return sorted(rows, key=attrgetter("due_at"))


def _judge(
    definition: JobDefinition,
    instants: list[datetime],
    now: datetime,
    open_runs: int,
    newest: bool,
    starts: Mapping[datetime, Start] = _ALL_AT_ONCE,
) -> Iterator[Decided]:
    policy = definition.policy
    oldest_wanted, runs_late = _oldest_wanted(policy, now), definition.schedule.runs_late
    wanted = [at for at in instants if _starts(at, starts) >= oldest_wanted or runs_late(at)]
    yield from (
        Decided(at, Decision.MISSED, Reason.MISFIRE) for at in instants[: len(instants) - len(wanted)]
    )
    to_fire = _how_many_to_fire(policy, len(wanted), newest)
    yield from (Decided(at, Decision.COALESCED, Reason.CATCH_UP) for at in wanted[: len(wanted) - to_fire])
    for nth, at in enumerate(wanted[len(wanted) - to_fire :]):
        fires = _has_room(policy, open_runs, nth)
        yield _fire(definition, at, starts.get(at, AT_ONCE)) if fires else _skipped(at)


def _starts(at: datetime, starts: Mapping[datetime, Start]) -> datetime:
    return starts.get(at, AT_ONCE).not_before or at


def _oldest_wanted(policy: Policy, now: datetime) -> datetime:
    """Instants before this one come too late."""
    grace = timedelta(seconds=policy.misfire_grace)
    return now - (min(grace, ON_TIME) if policy.catch_up is CatchUp.NONE else grace)


def _how_many_to_fire(policy: Policy, wanted: int, newest: bool) -> int:
    if policy.catch_up is CatchUp.ALL:
        return min(wanted, policy.catch_up_cap)
    return min(wanted, 1) if newest else 0


def _has_room(policy: Policy, open_runs: int, nth: int) -> bool:
    """Whether the overlap policy lets this firing start; the runs of one wake-up do not stand in each other's way."""
    if policy.overlap is Overlap.SKIP:
        return open_runs < policy.max_instances
    if policy.overlap is Overlap.QUEUE:
        return open_runs + nth < policy.max_instances + policy.max_queued
    return True


def _fire(definition: JobDefinition, at: datetime, start: Start) -> Decided:
    delay = definition.schedule.delay_of(at)
    begins = (start.not_before or at) + delay
    not_before = begins if begins > at else None
    return Decided(at, Decision.FIRED, run_id=new_id(), not_before=not_before, note=start.note)


def _skipped(at: datetime) -> Decided:
    return Decided(at, Decision.SKIPPED, Reason.OVERLAP)


def _summarise(judged: Iterable[Decided], cap: int) -> tuple[Decided, ...]:
    """Fold each stretch of more than `cap` instants that share their fate into one row."""
    rows = tuple(judged)
    if len(rows) <= cap:
        return rows
    stretches = groupby(rows, key=lambda row: (row.decision, row.reason))
    return tuple(row for _, stretch in stretches for row in _folded(tuple(stretch), cap))


def _folded(members: tuple[Decided, ...], cap: int) -> tuple[Decided, ...]:
    first, last = members[0], members[-1]
    if last.decision is Decision.FIRED or len(members) <= cap:
        return members
    note = last.note if first.note == last.note else None
    return (replace(last, first_due_at=first.due_at, instants=len(members), note=note),)
