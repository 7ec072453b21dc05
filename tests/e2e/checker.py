"""The judge: it knows nothing of the service, recomputes what was due, and names every disagreement.

Matching is by key, for each run carries the job and the instant it belongs to. The verdict has three values:
a history in which there was nothing to judge is "unknown", never good.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tests.e2e.figures import figures
from tests.e2e.history import Asked, Attempt, Firing, History, Instant, Line, Run

REASONS = {
    "overlap",
    "misfire",
    "catch_up",
    "calendar",
    "paused",
    "broken",
    "superseded",
    "dependency_failed",
    "budget",
}
OPEN = {"pending", "running"}
FAILED = {"failed", "timeout"}
STATES = OPEN | FAILED | {"success", "partial", "cancelled", "lost"}
ENDS = {"end", "failed", "stopped"}

# How far two clocks of one machine may seem apart, and how late an instant may be decided without a fault.
SKEW = 0.05
SLACK = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement, by the name of its kind."""

    kind: str
    job_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.job_id}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says: whether it is sound, what is wrong, and the figures."""

    sound: Literal[True, False, "unknown"]
    findings: tuple[Finding, ...]
    figures: dict[str, object]

    @property
    def kinds(self) -> set[str]:
        """The kinds of disagreement there are."""
        return {finding.kind for finding in self.findings}

    def __str__(self) -> str:
        numbers = "\n".join(f"  {name}: {value}" for name, value in self.figures.items())
        shown = "\n".join(f"  {finding}" for finding in self.findings[:40])
        return f"sound: {self.sound}, {len(self.findings)} findings\n{shown}\n{numbers}"


def judge(history: History) -> Verdict:
    """Hold the three stories against each other."""
    view = _View(history)
    checks = (_ledger, _epochs, _unfired, _openings, _runs, _attempts, _executions, _overlaps, _effects)
    findings = tuple(finding for check in checks for finding in check(view))
    numbers = figures(history)
    if findings:
        return Verdict(False, findings, numbers)
    reasons = list(_nothing_to_judge(view))
    return Verdict(
        "unknown" if reasons else True, (), {**numbers, **({"unknown because": reasons} if reasons else {})}
    )


class _View:
    """The history, indexed once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.asked = {asked.job_id: asked for asked in history.asked}
        ours = self.asked.keys()
        self.firings = [row for row in history.firings if row.job_id in ours]
        self.runs = {run.id: run for run in history.runs if run.job_id in ours}
        self.lines = [line for line in history.lines if line.job_id in ours]
        self.attempts: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in history.attempts:
            self.attempts[attempt.run_id].append(attempt)
        self.executions: dict[tuple[str, int], list[Line]] = defaultdict(list)
        for line in self.lines:
            self.executions[(line.run_id, line.attempt)].append(line)
        self.effects = Counter(history.effects)
        self.ended = {line.run_id for line in self.lines if line.event == "end"} | self.effects.keys()

    def must(self, asked: Asked) -> list[Instant]:
        """The instants that must be accounted for."""
        return asked.targets(self.history.window.start, self.history.window.end)

    def may(self, asked: Asked) -> set[Instant]:
        """Every instant that could be due at all."""
        return set(asked.targets(self.history.launched, self.history.read_at))


def _ledger(view: _View) -> Iterator[Finding]:
    """Each due instant has exactly one row, each row a due instant, each refusal a reason."""
    for asked in view.asked.values():
        rows = [row for row in view.firings if row.job_id == asked.job_id]
        may = view.may(asked)
        cover = Counter(at for row in rows for at in _covered(row, may))
        for at in view.must(asked):
            if not cover[at]:
                yield Finding("lost", asked.job_id, f"due at {_when(at)}, and no row says what became of it")
        for at, times in cover.items():
            if times > 1:
                yield Finding("doubled", asked.job_id, f"{times} rows for {_when(at)}")
        for row in rows:
            yield from _row(view, asked, row, may)


def _row(view: _View, asked: Asked, row: Firing, may: set[Instant]) -> Iterator[Finding]:
    covered = len(_covered(row, may))
    if row.due_at not in may or covered != row.instants:
        yield Finding("phantom", asked.job_id, f"{row.instants} at {_when(row.due_at)}; {covered} were due")
    if row.decided_at < row.due_at - SKEW:
        yield Finding(
            "early",
            asked.job_id,
            f"{_when(row.due_at)} was decided {row.due_at - row.decided_at:.3f} s early",
        )
    if row.decision != "fired" and row.reason not in REASONS:
        yield Finding(
            "missed_without_reason", asked.job_id, f"{row.decision} at {_when(row.due_at)}: {row.reason}"
        )
    if row.reason == "paused" and not any(span.touches(row.due_at, row.due_at) for span in asked.paused):
        yield Finding("missed_without_reason", asked.job_id, f"not paused at {_when(row.due_at)}")
    if row.decision in ("missed", "coalesced") and not view.history.in_fault(
        row.first_due_at, row.due_at + SLACK
    ):
        yield Finding(
            "missed_without_fault", asked.job_id, f"{row.decision} at {_when(row.due_at)}, nothing was broken"
        )


def _unfired(view: _View) -> Iterator[Finding]:
    """A job that is to catch up with everything, and may overlap itself, has no excuse."""
    for row in view.firings:
        if view.asked[row.job_id].all_fire and row.decision != "fired" and row.reason != "paused":
            yield Finding("unfired", row.job_id, f"{row.decision} ({row.reason}) at {_when(row.due_at)}")


def _epochs(view: _View) -> Iterator[Finding]:
    """Once a later leader has written, an earlier one writes nothing. Epoch 0 is a person's change."""
    led = [row for row in view.history.firings if row.epoch]
    highest = 0
    for row in sorted(led, key=lambda row: (row.decided_at, row.epoch)):
        if row.epoch < highest:
            text = f"epoch {row.epoch} decided {_when(row.due_at)} after epoch {highest} had begun"
            yield Finding("stale_epoch", row.job_id, text)
        highest = max(highest, row.epoch)


def _openings(view: _View) -> Iterator[Finding]:
    """A fired row has its run, a scheduled run its row, and one instant never two runs."""
    fired = {row.run_id: row for row in view.firings if row.decision == "fired"}
    for run_id, row in fired.items():
        if run_id not in view.runs:
            yield Finding("lost", row.job_id, f"fired at {_when(row.due_at)}, and there is no run")
    scheduled = [run for run in view.runs.values() if run.cause == "schedule" and run.due_at is not None]
    for (job_id, due_at), times in Counter((run.job_id, run.due_at) for run in scheduled).items():
        if times > 1:
            yield Finding("doubled", job_id, f"{times} runs for {_when(due_at or 0)}")
    for run in scheduled:
        if run.id not in fired:
            yield Finding("phantom", run.job_id, f"run {run.id} for {_when(run.due_at or 0)} has no row")


def _runs(view: _View) -> Iterator[Finding]:
    """Every run has come to a final state that tells the truth."""
    for run in view.runs.values():
        yield from _state(view, run)
        if run.state == "success" and run.id not in view.ended:
            yield Finding(
                "false_success", run.job_id, f"run {run.id} is success, its body never came to its end"
            )
        if run.state in FAILED and _last(view, run) == "end" and not view.asked[run.job_id].fenced:
            yield Finding(
                "false_failure", run.job_id, f"run {run.id} is {run.state}, its last attempt ended well"
            )
        if run.state == "lost" and not view.history.in_fault(*_life(view, run)):
            yield Finding("false_failure", run.job_id, f"run {run.id} is lost, and nothing was broken")


def _state(view: _View, run: Run) -> Iterator[Finding]:
    if run.state not in STATES or (run.ended_at is None) != (run.state in OPEN):
        yield Finding("illegal_state", run.job_id, f"run {run.id} is {run.state}, ended_at {run.ended_at}")
    elif run.state in OPEN:
        yield Finding("stuck", run.job_id, f"run {run.id} for {_when(run.due_at or 0)} is still {run.state}")


def _attempts(view: _View) -> Iterator[Finding]:
    """Attempts are counted 1, 2, 3 without a gap, never beyond the job's limit, and agree with the run."""
    for run in view.runs.values():
        allowed = view.asked[run.job_id].max_attempts
        recorded = sorted(attempt.attempt for attempt in view.attempts[run.id])
        highest = max([run.attempt, *recorded, *(n for run_id, n in view.executions if run_id == run.id)])
        if highest > allowed:
            yield Finding("too_many_attempts", run.job_id, f"run {run.id} had attempt {highest} of {allowed}")
        if run.state not in OPEN | {"cancelled"} and recorded != list(range(1, run.attempt + 1)):
            yield Finding(
                "illegal_state", run.job_id, f"run {run.id} after attempt {run.attempt} records {recorded}"
            )
        states = {attempt.attempt: attempt.state for attempt in view.attempts[run.id]}
        if states.get(run.attempt, run.state) != run.state and run.state not in OPEN:
            text = f"run {run.id} is {run.state}, its last attempt {states[run.attempt]}"
            yield Finding("illegal_state", run.job_id, text)


def _executions(view: _View) -> Iterator[Finding]:
    """What ran was recorded, ran once an attempt, not before its time, never after it had succeeded."""
    for (run_id, attempt), lines in view.executions.items():
        first = lines[0]
        run = view.runs.get(run_id)
        if run is None or (run.due_at or 0) != (first.due_at or 0):
            yield Finding("phantom", first.job_id, f"run {run_id} ran, and no row knows of it")
        starts = sum(line.event == "start" for line in lines)
        if starts > 1 or sum(line.event in ENDS for line in lines) > 1:
            yield Finding("doubled", first.job_id, f"attempt {attempt} of run {run_id} ran {starts} times")
        if first.due_at is not None and first.at < first.due_at - SKEW:
            yield Finding(
                "early", first.job_id, f"{_when(first.due_at)} began {first.due_at - first.at:.3f} s early"
            )
        fenced = first.job_id in view.asked and view.asked[first.job_id].fenced
        if attempt > 1 and not fenced and _succeeded_before(view, run_id, attempt):
            yield Finding("doubled", first.job_id, f"run {run_id} ran again after its attempt had succeeded")


def _succeeded_before(view: _View, run_id: str, attempt: int) -> bool:
    """Whether an earlier attempt ended well, and nothing was broken that could have hidden it."""
    earlier = [line for n in range(1, attempt) for line in view.executions.get((run_id, n), ())]
    return any(
        line.event == "end" and not view.history.in_fault(line.at, line.at + SLACK) for line in earlier
    )


def _overlaps(view: _View) -> Iterator[Finding]:
    """A job that may not overlap itself never does, as far as its own lines tell.

    A body frozen beyond its lease was given up, and may come to its end whenever it is woken.
    """
    for asked in view.asked.values():
        if not asked.exclusive:
            continue
        whole = [lines for lines in view.executions.values() if _whole(asked, lines)]
        spans = [(lines[0].at, lines[-1].at) for lines in whole if not _given_up(view, lines)]
        for (_, end), (start, _) in pairwise(sorted(spans)):
            if start < end - 0.001:
                yield Finding("overlap", asked.job_id, f"one began {end - start:.3f} s before another ended")


def _whole(asked: Asked, lines: list[Line]) -> bool:
    return lines[0].job_id == asked.job_id and lines[-1].event in ENDS


def _given_up(view: _View, lines: list[Line]) -> bool:
    """Whether the attempt was recorded as lost while something was broken."""
    states = [a.state for a in view.attempts[lines[0].run_id] if a.attempt == lines[0].attempt]
    return states == ["lost"] and view.history.in_fault(lines[0].at, lines[-1].at)


def _effects(view: _View) -> Iterator[Finding]:
    """What a fenced job did in the database is there once if its run is a success, else not at all."""
    for run in view.runs.values():
        if not view.asked[run.job_id].fenced:
            continue
        found, wanted = view.effects[run.id], run.state == "success"
        if found > 1 or found > wanted:
            text = f"run {run.id} is {run.state}, and its effect is there {found} times"
            yield Finding("effect_doubled", run.job_id, text)
        if found < wanted:
            yield Finding("effect_lost", run.job_id, f"run {run.id} is success, and its effect is not there")


def _last(view: _View, run: Run) -> str:
    lines = view.executions.get((run.id, run.attempt), [])
    return lines[-1].event if lines else ""


def _life(view: _View, run: Run) -> tuple[Instant, Instant]:
    """From when the run was due (or first seen to run) until it ended."""
    seen = [line.at for line in view.lines if line.run_id == run.id]
    return min([*seen, run.due_at or run.ended_at or 0]), run.ended_at or view.history.read_at


def _covered(row: Firing, may: set[Instant]) -> list[Instant]:
    """The due instants a row speaks for: its own, or all of its range."""
    if row.instants == 1:
        return [row.due_at]
    return [at for at in may if row.first_due_at <= at <= row.due_at]


def _nothing_to_judge(view: _View) -> Iterator[str]:
    if not any(view.must(asked) for asked in view.asked.values()):
        yield "nothing was due in the window"
    if not view.lines:
        yield "nothing ran"
    for fault in view.history.faults:
        if not any(asked.targets(fault.start, fault.end) for asked in view.asked.values()):
            yield f"nothing was due in the fault of {_when(fault.start)}"


def _when(at: Instant) -> str:
    return f"{at:.3f}"
