"""The wait before a retry grows, never beyond its cap."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.utils.backoff import wait_before


@pytest.mark.parametrize(
    ("attempt", "wait"), [(2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (9, 60.0), (5000, 60.0)]
)
def test_wait_doubles_up_to_the_cap(attempt: int, wait: float) -> None:
    assert wait_before(attempt, backoff=1, multiplier=2, cap=60) == wait


def test_multiplier_of_one_waits_evenly() -> None:
    assert {wait_before(n, backoff=5, multiplier=1, cap=60) for n in range(2, 50)} == {5}


@given(
    attempt=st.integers(2, 10_000),
    backoff=st.floats(0, 1e5),
    multiplier=st.floats(1, 100),
    cap=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
def test_wait_is_never_negative_nor_beyond_the_cap(
    attempt: int, backoff: float, multiplier: float, cap: float, jitter: float
) -> None:
    wait = wait_before(
        attempt, backoff=backoff, multiplier=multiplier, cap=cap, jitter=jitter, random=Random(1)
    )
    assert 0 <= wait <= cap


def test_jitter_adds_a_share_of_the_wait() -> None:
    waits = {
        wait_before(2, backoff=10, multiplier=2, cap=60, jitter=0.5, random=Random(n)) for n in range(50)
    }
    assert len(waits) > 40 and all(10 <= wait <= 15 for wait in waits)
