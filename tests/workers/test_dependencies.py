"""Judgements about one cycle."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.dependency import Dependency, When
from cronzimus.models.run import OPEN, RunState
from cronzimus.workers.dependencies import (
    SKIPPED,
    Outcome,
    Skip,
    Standing,
    Start,
    Step,
    Wait,
    judged,
    standing_of,
)

WELL = {RunState.SUCCESS, RunState.PARTIAL}
BADLY = {RunState.FAILED, RunState.TIMEOUT, RunState.LOST}
STATES = st.sampled_from(RunState)
STANDING = st.one_of(st.none(), st.just(SKIPPED), STATES.map(lambda state: alone(state)))
JOBS = st.dictionaries(st.sampled_from("abcde"), st.tuples(st.sampled_from(When), STANDING), min_size=1)


def ident(number: int) -> UUID:
    return UUID(int=number)


def alone(state: RunState, number: int = 1) -> Standing:
    stands = standing_of([Step(ident(number), state)])
    assert stands is not None
    return stands


def wants(**when: str) -> list[Dependency]:
    return [Dependency(job=job, when=When(one)) for job, one in when.items()]


@pytest.mark.parametrize("state", RunState)
@pytest.mark.parametrize("when", When)
def test_how_each_end_fulfils_each_wish(when: When, state: RunState) -> None:
    wanted = {"success": WELL, "failure": BADLY, "always": set(RunState)}[when]
    verdict = judged(wants(a=when), {"a": alone(state)})
    kind: type = Wait if state in OPEN else Start if state in wanted else Skip
    assert isinstance(verdict, kind)


@pytest.mark.parametrize(("when", "kind"), [("success", Skip), ("failure", Skip), ("always", Start)])
def test_what_was_skipped_has_ended_without_failing(when: str, kind: type) -> None:
    assert isinstance(judged(wants(a=when), {"a": SKIPPED}), kind)


@given(JOBS)
def test_a_verdict_falls_when_everything_is_decided_and_not_before(
    jobs: Mapping[str, tuple[When, Standing | None]],
) -> None:
    wanted = [Dependency(job=job, when=when) for job, (when, _) in jobs.items()]
    standing = {job: stands for job, (_, stands) in jobs.items() if stands is not None}
    verdict = judged(wanted, standing)
    decided = all(stands is not None and stands.outcome is not Outcome.OPEN for _, stands in jobs.values())
    assert isinstance(verdict, Wait) != decided
    if isinstance(verdict, Wait):
        assert verdict.on in jobs
    else:
        each = [judged([one], standing) for one in wanted]
        assert isinstance(verdict, Start) == all(isinstance(one, Start) for one in each)


@given(st.lists(STATES, min_size=1, max_size=6))
def test_the_last_run_of_a_job_counts(states: list[RunState]) -> None:
    stands = standing_of([Step(ident(number), state) for number, state in enumerate(states)])
    assert stands is not None and stands.run_ids == (ident(len(states) - 1),)
    assert (stands.outcome is Outcome.OPEN) == (states[-1] in OPEN)


@given(st.lists(STATES, min_size=1, max_size=6))
def test_parts_count_as_one(states: list[RunState]) -> None:
    steps = [Step(ident(number), state, number, len(states)) for number, state in enumerate(states)]
    stands = standing_of(steps)
    assert stands is not None and stands.run_ids == tuple(step.run_id for step in steps)
    expected = Outcome.OPEN if OPEN & set(states) else Outcome.WELL if set(states) <= WELL else Outcome.FAILED
    assert stands.outcome is expected


def test_a_repeated_part_counts_in_place_of_the_first() -> None:
    first = [Step(ident(1), RunState.SUCCESS, 0, 2), Step(ident(2), RunState.FAILED, 1, 2)]
    assert (standing_of(first) or SKIPPED).word == "ended failed in part 1"
    again = standing_of([*first, Step(ident(3), RunState.SUCCESS, 1, 2)])
    assert again is not None and again.outcome is Outcome.WELL and again.run_ids == (ident(1), ident(3))


def test_a_job_that_never_ran_stands_nowhere() -> None:
    assert standing_of([]) is None
    assert judged(wants(a="always"), {}) == Wait("a")


def test_inputs_name_a_run_the_runs_of_the_parts_or_nothing() -> None:
    parts = standing_of([Step(ident(2), RunState.SUCCESS, 0, 1)])
    assert parts is not None
    verdict = judged(
        wants(a="success", b="success", c="always"), {"a": alone(RunState.SUCCESS), "b": parts, "c": SKIPPED}
    )
    assert verdict == Start({"a": str(ident(1)), "b": [str(ident(2))], "c": None})


@pytest.mark.parametrize(
    ("when", "stands", "said"),
    [
        ("success", alone(RunState.FAILED), "a ended failed"),
        ("success", alone(RunState.CANCELLED), "a was cancelled"),
        ("success", alone(RunState.LOST), "a was lost"),
        ("success", SKIPPED, "a was skipped"),
        ("failure", alone(RunState.SUCCESS), "a ended success and should have failed"),
    ],
)
def test_a_skip_says_which_and_how(when: str, stands: Standing, said: str) -> None:
    assert judged(wants(a=when), {"a": stands}) == Skip(said)
