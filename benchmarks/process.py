"""Every measurement runs in a process of its own: no heap, cache or thread of one is felt by the next."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Answer = TypeVar("Answer")

SPAWN = get_context("spawn")


def in_fresh_process(function: Callable[..., Answer], *args: Any) -> Answer:
    """Call a module's function in a new interpreter; what it returns or raises."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(function, *args).result()


def wait_until(condition: Callable[[], bool], patience: float = 120.0, pause: float = 0.01) -> float:
    """Look until the condition holds; the seconds it took. Raises TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > patience:
            raise TimeoutError(f"the condition did not hold within {patience:g} s")
        time.sleep(pause)
    return time.monotonic() - started
