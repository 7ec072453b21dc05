"""The leader looks at every job of the past hour, a few at a time, and tells what is missing."""

import pytest

from cronzimus.models.totals import Totals
from cronzimus.services.ledger_check import LedgerCheck
from cronzimus.services.totals import LedgerTotals
from tests.heart import Heart

LOSE_ONE = (
    "DELETE FROM cronzimus.firings WHERE due_at = "
    "(SELECT min(due_at) FROM cronzimus.firings WHERE job_id = 'b') AND job_id = 'b'"
)


def check(heart: Heart, **more: float) -> LedgerCheck:
    return LedgerCheck(heart.database, heart.verifier, lambda: heart.leadership.term, **more)


def read(heart: Heart) -> Totals:
    return LedgerTotals(heart.database).read()


@pytest.fixture
def recorded(heart: Heart) -> Heart:
    """Three jobs whose every instant of the last seconds has its row."""
    for job_id in "abc":
        heart.add(job_id, policy={"catch_up": "all"}, trigger={"type": "interval", "seconds": 5})
        row = heart.database.fetch_one(
            "SELECT next_due_at - interval '60 seconds' FROM cronzimus.jobs WHERE id = %s", [job_id]
        )
        assert row is not None
        heart.make_due(job_id, f"'{row[0].isoformat()}'")
        heart.database.execute(
            "UPDATE cronzimus.job_versions SET changed_at = %s - interval '1 millisecond'"
            " WHERE job_id = %s AND version = 1",
            [row[0], job_id],
        )
    heart.fire()
    return heart


def test_complete_ledger_has_no_gap(recorded: Heart) -> None:
    assert check(recorded).step() == 60
    totals = read(recorded)
    assert (totals.ledger_gaps, totals.ledger_surplus) == (0, 0)
    assert totals.ledger_checked is not None and totals.ledger_checked > 1.7e9


def test_missing_row_is_a_gap(recorded: Heart) -> None:
    assert recorded.database.execute(LOSE_ONE) == 1
    check(recorded).step()
    assert read(recorded).ledger_gaps == 1


def test_gap_is_told_before_the_round_ends(recorded: Heart) -> None:
    recorded.database.execute(LOSE_ONE)
    slow = check(recorded, budget_seconds=0)
    assert slow.step() == 5 and read(recorded).ledger_gaps is None
    assert slow.step() == 5 and read(recorded).ledger_gaps == 1


def test_round_goes_on_where_it_stopped(recorded: Heart) -> None:
    slow = check(recorded, budget_seconds=0)
    assert [slow.step() for _ in range(4)] == [5, 5, 5, 60]
    assert read(recorded).ledger_gaps == 0


def test_row_nothing_made_due_is_surplus(recorded: Heart) -> None:
    recorded.database.execute(
        "UPDATE cronzimus.firings SET due_at = due_at + interval '1 second', "
        "first_due_at = first_due_at + interval '1 second' WHERE due_at = (SELECT min(due_at) FROM "
        "cronzimus.firings WHERE job_id = 'c') AND job_id = 'c'"
    )
    check(recorded).step()
    assert read(recorded).ledger_surplus == 1


def test_who_stands_by_does_not_look(recorded: Heart) -> None:
    recorded.leadership.resign()
    assert check(recorded).step() == 5
    assert read(recorded).ledger_gaps is None
