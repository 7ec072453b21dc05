"""The judge is judged: no false alarm over clean histories, each planted fault caught by its own name."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.checker import judge
from tests.e2e.history import Asked, Attempt, Firing, History, Line, Run, Span
from tests.e2e.simulation import clean
from tests.e2e.waiting import scaled

SEEDS = range(int(scaled(12, 200)))

Plant = Callable[[History, random.Random], object]


def swap(rows: list[Any], old: Any, **changes: Any) -> None:
    """Put a changed row in the place of an old one."""
    rows[rows.index(old)] = replace(old, **changes)


def a_firing(history: History, rng: random.Random, decision: str = "fired") -> Firing:
    """Some row of the judged window, outside every fault."""
    window = history.window
    rows = [
        row
        for row in history.firings
        if row.decision == decision and window.start <= row.due_at <= window.end
    ]
    calm = [row for row in rows if not history.in_fault(row.due_at - 1, row.due_at + 10)]
    return rng.choice(calm)


def a_run(history: History, rng: random.Random, state: str = "success") -> Run:
    """The run of such a row."""
    by_id = {run.id: run for run in history.runs if run.state == state}
    wanted = [
        row
        for row in history.firings
        if row.run_id in by_id and not history.in_fault(row.due_at - 1, row.due_at + 10)
    ]
    return by_id[rng.choice(wanted).run_id or ""]


def lines_of(history: History, run: Run) -> list[Line]:
    """What a run wrote in its last attempt."""
    return [line for line in history.lines if (line.run_id, line.attempt) == (run.id, run.attempt)]


def lose_a_row(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    history.firings.remove(row)
    history.runs = [run for run in history.runs if run.id != row.run_id]
    history.lines = [line for line in history.lines if line.run_id != row.run_id]


def lose_a_run(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    history.runs.remove(run)
    history.lines = [line for line in history.lines if line.run_id != run.id]


def double_a_row(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    history.firings.append(replace(row, run_id=None, decision="skipped", reason="overlap"))


def double_a_run(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    history.runs.append(replace(run, id=f"{run.id}-again"))


def double_an_execution(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    history.lines += lines_of(history, run)


def run_again_after_success(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    swap(history.runs, run, attempt=run.attempt + 1)
    history.attempts.append(Attempt(run.id, run.attempt + 1, "success"))
    history.lines += [
        replace(line, attempt=run.attempt + 1, at=line.at + 1) for line in lines_of(history, run)
    ]
    history.asked = [replace(asked, max_attempts=9) for asked in history.asked]


def invent_a_row(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    history.firings.append(replace(row, due_at=row.due_at + 0.5, first_due_at=row.due_at + 0.5))


def invent_a_range(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    swap(history.firings, row, first_due_at=row.due_at - 0.5, instants=7)


def invent_an_execution(history: History, rng: random.Random) -> None:
    line = rng.choice(history.lines)
    history.lines.append(replace(line, run_id="nobody"))


def start_early(history: History, rng: random.Random) -> None:
    first = lines_of(history, a_run(history, rng))[0]
    swap(history.lines, first, at=(first.due_at or 0) - 0.5)


def decide_early(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    swap(history.firings, row, decided_at=row.due_at - 0.5)


def overlap_itself(history: History, rng: random.Random) -> None:
    history.asked = [replace(asked, exclusive=True) for asked in history.asked]
    earlier = a_run(history, rng)
    later = next(run for run in history.runs if run.job_id == earlier.job_id and run.id != earlier.id)
    begin, end = lines_of(history, earlier)[-1], lines_of(history, later)[-1]
    swap(history.lines, begin, at=max(begin.at, end.at) + 5)
    swap(history.lines, lines_of(history, later)[-1], at=max(begin.at, end.at) + 6)


def try_too_often(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    allowed = next(asked.max_attempts for asked in history.asked if asked.job_id == run.job_id)
    line = lines_of(history, run)[0]
    history.lines.append(replace(line, attempt=allowed + 1))


def run_for_ever(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), state="running", ended_at=None)


def wait_for_ever(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), state="pending", ended_at=None)


def give_no_reason(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    swap(history.firings, row, decision="missed", reason=None, run_id=None)


def claim_a_pause(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    swap(history.firings, row, decision="skipped", reason="paused", run_id=None)


def miss_without_a_fault(history: History, rng: random.Random) -> None:
    row = a_firing(history, rng)
    swap(history.firings, row, decision="missed", reason="misfire", run_id=None)


def skip_what_may_overlap(history: History, rng: random.Random) -> None:
    history.asked = [replace(asked, all_fire=True) for asked in history.asked]
    swap(history.firings, a_firing(history, rng), decision="skipped", reason="overlap", run_id=None)


def claim_success(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    history.lines.remove(lines_of(history, run)[-1])


def claim_failure(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), state="failed")


def claim_a_loss(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), state="lost")


def end_without_a_time(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), ended_at=None)


def invent_a_state(history: History, rng: random.Random) -> None:
    swap(history.runs, a_run(history, rng), state="finished")


def forget_an_attempt(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    history.attempts = [attempt for attempt in history.attempts if attempt.run_id != run.id]


def contradict_an_attempt(history: History, rng: random.Random) -> None:
    run = a_run(history, rng)
    swap(history.attempts, Attempt(run.id, run.attempt, "success"), state="failed")


def fire_with_an_old_epoch(history: History, rng: random.Random) -> None:
    ordered = sorted(history.firings, key=lambda row: row.decided_at)
    swap(history.firings, ordered[len(ordered) // 2], epoch=99)


def fence(history: History) -> None:
    """Make every job a fenced one, with the effects it should have."""
    history.asked = [replace(asked, fenced=True) for asked in history.asked]
    history.effects = [run.id for run in history.runs if run.state == "success"]


def double_an_effect(history: History, rng: random.Random) -> None:
    fence(history)
    history.effects.append(rng.choice(history.effects))


def lose_an_effect(history: History, rng: random.Random) -> None:
    fence(history)
    history.effects.remove(rng.choice(history.effects))


def leave_the_effect_of_what_failed(history: History, rng: random.Random) -> None:
    fence(history)
    run = a_run(history, rng)
    swap(history.runs, run, state="lost")


PLANTS: list[tuple[Plant, str]] = [
    (lose_a_row, "lost"),
    (lose_a_run, "lost"),
    (double_a_row, "doubled"),
    (double_a_run, "doubled"),
    (double_an_execution, "doubled"),
    (run_again_after_success, "doubled"),
    (invent_a_row, "phantom"),
    (invent_a_range, "phantom"),
    (invent_an_execution, "phantom"),
    (start_early, "early"),
    (decide_early, "early"),
    (overlap_itself, "overlap"),
    (try_too_often, "too_many_attempts"),
    (run_for_ever, "stuck"),
    (wait_for_ever, "stuck"),
    (give_no_reason, "missed_without_reason"),
    (claim_a_pause, "missed_without_reason"),
    (miss_without_a_fault, "missed_without_fault"),
    (skip_what_may_overlap, "unfired"),
    (claim_success, "false_success"),
    (claim_failure, "false_failure"),
    (claim_a_loss, "false_failure"),
    (end_without_a_time, "illegal_state"),
    (invent_a_state, "illegal_state"),
    (forget_an_attempt, "illegal_state"),
    (contradict_an_attempt, "illegal_state"),
    (fire_with_an_old_epoch, "stale_epoch"),
    (double_an_effect, "effect_doubled"),
    (lose_an_effect, "effect_lost"),
    (leave_the_effect_of_what_failed, "effect_doubled"),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_judge_raises_no_false_alarm(seed: int) -> None:
    verdict = judge(clean(seed))
    assert verdict.sound is True, str(verdict)


@pytest.mark.parametrize("seed", SEEDS)
def test_judge_raises_no_false_alarm_over_fenced_jobs(seed: int) -> None:
    history = clean(seed)
    fence(history)
    assert judge(history).sound is True


@pytest.mark.parametrize(("plant", "kind"), PLANTS, ids=[plant.__name__ for plant, _ in PLANTS])
def test_judge_names_what_was_planted(plant: Plant, kind: str) -> None:
    for seed in SEEDS:
        history = clean(seed)
        plant(history, random.Random(seed))
        verdict = judge(history)
        assert verdict.sound is False and kind in verdict.kinds, f"seed {seed}: {verdict}"


def test_judge_does_not_know_without_anything_due() -> None:
    history = clean(1)
    history.asked = [replace(asked, every="0 0 29 2 *") for asked in history.asked]
    history.firings, history.runs, history.lines, history.attempts = [], [], [], []
    assert judge(history).sound == "unknown"


def test_judge_does_not_know_when_nothing_ran() -> None:
    history = clean(1)
    refused = {"decision": "skipped", "reason": "overlap", "run_id": None}
    history.firings = [replace(row, **refused) if row.decision == "fired" else row for row in history.firings]
    history.asked = [replace(asked, all_fire=False) for asked in history.asked]
    history.runs, history.lines, history.attempts = [], [], []
    assert judge(history).sound == "unknown"


def test_judge_does_not_know_when_a_fault_met_nothing() -> None:
    history = clean(1)
    history.faults.append(Span(history.launched + 0.2, history.launched + 0.3))
    assert judge(history).sound == "unknown"


def test_judge_forgives_what_an_outage_explains() -> None:
    history = clean(1)
    inside = next(
        row for row in history.firings if row.decision == "fired" and history.in_fault(row.due_at, row.due_at)
    )
    run = next(run for run in history.runs if run.id == inside.run_id)
    swap(history.runs, run, state="lost")
    swap(
        history.attempts,
        next(a for a in history.attempts if (a.run_id, a.attempt) == (run.id, run.attempt)),
        state="lost",
    )
    assert judge(history).sound is True


def test_judge_forgives_a_body_that_was_given_up_and_woke_later() -> None:
    history = clean(2)
    alone = {asked.job_id for asked in history.asked if asked.exclusive}
    frozen = [run for run in history.runs if run.job_id in alone and run.state == "success"]
    run = next(run for run in frozen if history.in_fault(run.due_at or 0, run.due_at or 0))
    swap(history.lines, lines_of(history, run)[-1], at=history.window.end)
    assert judge(history).kinds == {"overlap"}
    swap(history.attempts, Attempt(run.id, run.attempt, "success"), state="lost")
    swap(history.runs, run, state="lost")
    assert judge(history).sound is True


def test_judge_looks_at_its_own_jobs_only() -> None:
    history = clean(1)
    history.firings.append(Firing("elsewhere", 0.5, 0.5, 1, "missed", None, None, 0, history.read_at))
    assert judge(history).sound is True


@pytest.mark.parametrize(
    ("every", "start", "end", "expected"),
    [
        (5, 0, 16, [0, 5, 10, 15]),
        (5, 1, 15, [5, 10, 15]),
        ("*/30 * * * *", 0, 3600, [0, 1800, 3600]),
        ("15 1-2 * * *", 0, 86_399, [4500, 8100]),
        ("0 0 * * 5,7", 0, 7 * 86_400, [86_400, 3 * 86_400]),
        ("0 0 3 * 5", 0, 5 * 86_400, [86_400, 2 * 86_400]),
        ("0 0 */2 * *", 0, 4 * 86_400, [0, 2 * 86_400, 4 * 86_400]),
    ],
)
def test_targets_are_what_was_asked(
    every: float | str, start: float, end: float, expected: list[float]
) -> None:
    assert Asked("a", every).targets(start, end) == expected
