"""How often Python looks for garbage that reference counts do not find."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Once in 50,000 objects more than before; the older two generations every twentieth time of the younger.
_THRESHOLDS = (50_000, 20, 20)


def collect_seldom() -> None:
    """Spare the many objects that live for one wake-up, and the definitions that live for ever, most visits.

    By default the collector looks once in 700 new objects; a wake-up of a thousand firings makes tens of
    thousands that are all gone a moment later, and walking them cost as much as deciding them.
    """
    gc.set_threshold(*_THRESHOLDS)


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """For imports, which make a great many objects that all stay: looking for garbage took a fifth of every start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
