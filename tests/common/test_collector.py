"""The garbage collector is told once, for the whole process."""

import gc
from collections.abc import Iterator

import pytest

from cronzimus.common.collector import collect_seldom, collecting_nothing


@pytest.fixture
def thresholds() -> Iterator[None]:
    """Leave the collector of the test process as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("thresholds")
def test_collector_waits_for_more_objects_than_a_wake_up_makes() -> None:
    collect_seldom()
    born = gc.get_stats()[0]["collections"]
    wake_up = [[number] for number in range(20_000)]
    assert len(wake_up) == 20_000
    assert gc.get_stats()[0]["collections"] - born <= 1


@pytest.mark.usefixtures("thresholds")
def test_collector_still_finds_cycles() -> None:
    collect_seldom()
    assert gc.isenabled()
    assert all(gc.get_threshold())


def test_nothing_is_collected_while_modules_are_made_and_what_stays_is_left_alone() -> None:
    born = gc.get_stats()[0]["collections"]
    with collecting_nothing():
        modules = [[number] for number in range(5_000)]
        assert gc.get_stats()[0]["collections"] == born
    assert gc.isenabled() and gc.get_freeze_count() > len(modules)
    gc.unfreeze()


def test_collector_comes_back_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), collecting_nothing():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()
