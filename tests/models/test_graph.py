"""The graph of the jobs: cycles are found, and what goes before comes first."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.graph import cycle_in, in_order, in_words

NAMES = st.sampled_from("abcdefgh")
ANY = st.dictionaries(NAMES, st.frozensets(NAMES, max_size=4), max_size=8)
# Edges only to letters further on: nothing can go round.
DOWNWARD = ANY.map(lambda edges: {job: {one for one in before if one > job} for job, before in edges.items()})

LONG = {f"j{number}": {f"j{number + 1}"} for number in range(20_000)}


def reachable(edges: Mapping[str, frozenset[str]], start: str) -> set[str]:
    """What can be reached in one step or more."""
    found: set[str] = set()
    left = list(edges.get(start, ()))
    while left:
        job = left.pop()
        if job not in found:
            found.add(job)
            left += edges.get(job, ())
    return found


@given(ANY)
def test_a_cycle_is_found_where_a_job_can_reach_itself_and_only_there(
    edges: dict[str, frozenset[str]],
) -> None:
    path = cycle_in(edges)
    assert (path is not None) == any(job in reachable(edges, job) for job in edges)
    if path is not None:
        assert path[0] == path[-1] and len(path) > 1
        assert all(after in edges[before] for before, after in zip(path, path[1:], strict=False))


@given(ANY, NAMES)
def test_from_a_start_only_what_it_leads_to_counts(edges: dict[str, frozenset[str]], start: str) -> None:
    seen = {start, *reachable(edges, start)}
    found = cycle_in(edges, [start])
    assert (found is not None) == any(job in reachable(edges, job) for job in seen)


@given(DOWNWARD)
def test_what_goes_before_comes_first(edges: dict[str, set[str]]) -> None:
    order = in_order(edges)
    place = {job: at for at, job in enumerate(order)}
    assert len(place) == len(order) and set(order) == {
        *edges,
        *(one for some in edges.values() for one in some),
    }
    assert all(place[one] < place[job] for job, before in edges.items() for one in before)


@given(ANY)
def test_every_graph_has_some_order(edges: dict[str, frozenset[str]]) -> None:
    assert len(set(in_order(edges))) == len(in_order(edges))


def test_a_job_may_not_follow_itself() -> None:
    assert cycle_in({"a": {"a"}}) == ("a", "a")


def test_a_path_is_written_with_arrows() -> None:
    assert in_words(cycle_in({"a": {"b"}, "b": {"a"}}) or ()) == "a → b → a"


def test_a_long_chain_needs_no_deep_stack() -> None:
    assert cycle_in(LONG) is None and cycle_in({**LONG, "j20000": {"j0"}}) is not None
    assert in_order(LONG)[0] == "j20000"


@pytest.mark.parametrize("starts", [[], ["nobody"]])
def test_nothing_is_found_from_nowhere(starts: list[str]) -> None:
    assert cycle_in({"a": {"a"}}, starts) is None
