"""Waiting for what is to come true, with a deadline; and how large the numbers of a test are."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LONG = os.environ.get("CHAOS") == "long"

_LOOK_EVERY_SECONDS = 0.05


def scaled(short: float, long: float) -> float:
    """The short number, or the long one under CHAOS=long."""
    return long if LONG else short


def until(condition: Callable[[], Found], within: float, what: str) -> Found:
    """The first true answer of `condition`; an AssertionError that says `what` when none comes in time."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(_LOOK_EVERY_SECONDS)
    return found


def let_pass(seconds: float) -> None:
    """A stretch of the experiment itself: nothing is waited for but the clock."""
    deadline = time.monotonic() + seconds
    until(lambda: time.monotonic() >= deadline, seconds + 60, "the clock to go on")
