"""Housekeeping as jobs."""

from types import SimpleNamespace
from typing import Any

import pytest

from cronzimus.controller.upkeep import LedgerIncomplete, prune, verify_ledger
from tests.heart import Heart

RUN: Any = SimpleNamespace(
    settings=SimpleNamespace(history=SimpleNamespace(retention_days=90)),
    logger=SimpleNamespace(info=lambda *_: None),
)


@pytest.fixture
def ran(heart: Heart) -> Heart:
    """A job of every second with a minute of history."""
    heart.add(policy={"catch_up_cap": 1000})
    heart.make_old("a", 59)
    (claim,) = heart.claim(heart.fire())
    heart.end(claim)
    return heart


def test_prune_keeps_what_the_setting_keeps(ran: Heart) -> None:
    assert prune(ran.database, RUN) == {"runs_deleted": 0}
    assert ran.history.runs().total == 1


def test_prune_takes_the_days_it_is_given(ran: Heart) -> None:
    assert prune(ran.database, RUN, days=0) == {"runs_deleted": 1}


def test_complete_ledger_is_proven(ran: Heart) -> None:
    found = verify_ledger(ran.database, RUN, hours=1)
    assert found["expected"] == found["recorded"] >= 59


def test_incomplete_ledger_fails_the_run_and_names_the_first_gap(ran: Heart) -> None:
    victim = ran.history.firings().items[30].due_at
    ran.database.execute("DELETE FROM cronzimus.firings WHERE due_at = %s", [victim])
    with pytest.raises(LedgerIncomplete, match="1 gaps") as caught:
        verify_ledger(ran.database, RUN, hours=1)
    assert victim.isoformat() in caught.value.message
