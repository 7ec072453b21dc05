"""The dispatcher on a real ledger: whom runs go to, what holds them, what is taken back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import RunState
from cronzimus.workers.dispatching import Dispatching
from tests.heart import Heart
from tests.workers.dispatching import ListEngine, Office

_LATE = "UPDATE cronzimus.runs SET dispatched_at = clock_timestamp() - interval '6 seconds' WHERE state = 'pending'"


@pytest.fixture
def office(heart: Heart) -> Office:
    """A dispatcher and nobody else yet."""
    return Office(heart)


def test_a_run_goes_to_a_worker_in_the_transaction_that_writes_it(office: Office) -> None:
    office.join("w1")
    office.add()
    (run_id,) = office.open()
    assert office.whom([run_id]) == ["w1"]
    assert [(one.worker_id, one.run_ids) for one in office.engine.sent] == [("w1", (run_id,))]


def test_a_firing_and_its_dispatch_are_one(office: Office) -> None:
    office.join("w1")
    office.heart.add("tick", runs_on="workers")
    office.heart.lead()
    office.heart.make_due("tick")
    (offer,) = office.heart.fire()
    assert offer.gated and office.whom([offer.run_id]) == ["w1"]


def test_a_transactional_engine_is_called_inside(heart: Heart) -> None:
    office = Office(heart, ListEngine(transactional=True))
    office.join("w1")
    office.add()
    office.open(2)
    assert len(office.engine.sent) == 2


def test_nothing_is_sent_when_the_transaction_is_rolled_back(office: Office) -> None:
    office.join("w1")
    office.add()
    with pytest.raises(RuntimeError), office.heart.database.transaction():
        office.open()
        raise RuntimeError
    assert office.engine.sent == [] and office.heart.history.runs().total == 0


def test_only_the_worker_it_was_given_to_may_claim_it(office: Office) -> None:
    office.join("w1")
    office.add()
    (run_id,) = office.open()
    assert office.claim([run_id], "w2") == ()
    (claim,) = office.claim([run_id], "w1")
    assert claim.gated and claim.run_id == run_id


def test_without_a_worker_it_waits_and_says_so(office: Office) -> None:
    office.add()
    (run_id,) = office.open()
    assert (office.run(run_id).held_by or "").startswith("worker:")
    assert office.dispatcher.nobody_for
    assert office.claim([run_id], "w1") == ()
    office.join("w1")
    office.step()
    assert office.whom([run_id]) == ["w1"] and not office.dispatcher.nobody_for


def test_rounds_spread_thirty_runs_evenly(office: Office) -> None:
    for name in ("w1", "w2", "w3"):
        office.join(name, 20)
    office.add()
    assert Counter(office.whom(office.open(30))) == {"w1": 10, "w2": 10, "w3": 10}


def test_load_based_gives_by_capacity(heart: Heart) -> None:
    office = Office(heart)
    office.dispatcher = office.another(strategy="load_based")
    for name, capacity in (("w1", 1), ("w2", 2), ("w3", 4)):
        office.join(name, capacity)
    office.add()
    runs = office.open(14)
    first = [run for run in runs if office.whom([run]) != [None]]
    assert Counter(office.whom(first)) == {"w1": 1, "w2": 2, "w3": 4}
    office.finish(first)
    office.dispatcher._out.clear()  # as if these runs had been long ones: nothing is given ahead
    office.step()
    assert Counter(office.whom(runs)) == {"w1": 2, "w2": 4, "w3": 8}


def test_affinity_keeps_a_job_where_it_succeeded(heart: Heart) -> None:
    office = Office(heart)
    office.dispatcher = office.another(strategy="task_type_affinity")
    for name in ("w1", "w2", "w3"):
        office.join(name, 20)
    office.add()
    office.finish(office.open())
    assert len(set(office.whom(office.open(10)))) == 1


def test_never_more_out_than_the_setting_says(heart: Heart) -> None:
    office = Office(heart)
    office.dispatcher = office.another(max_concurrent_dispatches=3)
    office.join("w1", 10)
    office.add()
    runs = office.open(10)
    assert office.whom(runs).count("w1") == 3
    office.finish(runs[:1])
    office.step()
    assert office.whom(runs).count("w1") == 4  # the one that ended, and three that are out


def test_rank_decides_who_is_first(office: Office) -> None:
    office.add("low", priority=-5)
    office.add("high", priority=5)
    (low,), (high,) = office.open(job_id="low"), office.open(job_id="high")
    office.join("w1", 1)
    office.step()
    assert office.whom([low, high]) == [None, "w1"]


def test_who_waited_long_enough_comes_first(office: Office) -> None:
    office.add("low", priority=-5)
    office.add("high", priority=5)
    (low,) = office.open(job_id="low")
    office.heart.database.execute("UPDATE cronzimus.runs SET ranked_at = ranked_at - interval '11 minutes'")
    (high,) = office.open(job_id="high")
    office.join("w1", 1)
    office.step()
    assert office.whom([low, high]) == ["w1", None]


def test_a_run_its_worker_does_not_begin_goes_to_another(office: Office) -> None:
    office.join("w1")
    office.add()
    (run_id,) = office.open()
    office.heart.database.execute("UPDATE cronzimus.workers SET status = 'draining'")
    office.join("w2")
    office.heart.database.execute(_LATE)
    office.step()
    assert office.whom([run_id]) == ["w2"]
    assert office.claim([run_id], "w1") == ()


def test_what_the_engine_cannot_carry_is_taken_back(office: Office) -> None:
    office.join("w1")
    office.add()
    office.engine.away = True
    (run_id,) = office.open()
    assert office.whom([run_id]) == [None] and office.run(run_id).state == "pending"
    office.engine.away = False
    office.dispatcher._engine_back_at = 0.0
    office.step()
    assert office.whom([run_id]) == ["w1"] and len(office.engine.sent) == 1


def test_a_retry_is_dispatched_again(office: Office) -> None:
    office.join("w1")
    office.add(policy={"max_attempts": 2, "overlap": "allow"})
    (run_id,) = office.open()
    (claim,) = office.claim([run_id], "w1")
    (again,) = office.heart.end(claim, RunState.FAILED, "w1", retry_in=0.0)
    assert again.gated and office.whom([run_id]) == [None]
    office.step()
    (claim,) = office.claim([run_id], "w1")
    assert claim.attempt == 2


def test_a_lost_run_is_dispatched_again(office: Office) -> None:
    office.join("w1")
    office.add(policy={"max_attempts": 2, "backoff": 0.0, "overlap": "allow"})
    (run_id,) = office.open()
    office.claim([run_id], "w1")
    office.heart.database.execute(
        "UPDATE cronzimus.runs SET lease_until = clock_timestamp() - interval '1 second'"
    )
    office.heart.upkeep.reap()
    assert office.whom([run_id]) == [None]
    office.step()
    assert office.whom([run_id]) == ["w1"]


def test_who_is_second_to_dispatch_leaves_it_to_the_first(office: Office) -> None:
    office.join("w1")
    office.add()
    with office.heart.database.transaction() as first:
        first.execute("SELECT pg_advisory_xact_lock(1668244074)")
        with ThreadPoolExecutor(1) as elsewhere:
            (run_id,) = elsewhere.submit(office.open).result()
    assert office.whom([run_id]) == [None]
    office.step()
    assert office.whom([run_id]) == ["w1"]


def test_many_at_once_give_no_worker_too_much(office: Office) -> None:
    office.join("w1", 5)
    office.join("w2", 5)
    office.add()
    with ThreadPoolExecutor(4) as people:
        runs: list[UUID] = sum(people.map(lambda _: office.open(10), range(4)), [])
    office.step()
    assert Counter(office.whom(runs)) == {"w1": 5, "w2": 5, None: 30}


def test_switched_off_it_leaves_runs_alone(heart: Heart) -> None:
    office = Office(heart)
    office.dispatcher = office.another(enabled=False)
    office.join("w1")
    office.add()
    (run_id,) = office.open()
    office.step()
    assert office.whom([run_id]) == [None]
    office.another().step()
    assert office.whom([run_id]) == ["w1"]


def test_who_writes_a_run_does_not_wait_for_a_broker(office: Office) -> None:
    """The broker is asked by the dispatcher's own thread, once it was woken."""
    woken: list[int] = []
    office.dispatcher.wake = lambda: woken.append(len(office.engine.sent))
    office.join("w1")
    office.add()
    (run_id,) = office.open()
    assert office.whom([run_id]) == ["w1"] and woken == [0] and office.engine.sent == []
    office.step()
    assert [one.run_ids for one in office.engine.sent] == [(run_id,)]


def test_reports_that_come_together_are_one_round(office: Office) -> None:
    office.add()
    office.open(2)
    office.join("w1", 1)
    office.step()
    assert (pause := office.dispatcher.step()) and 0 < pause < 0.1


def test_a_broker_and_a_database_that_are_both_away_lose_nothing(office: Office) -> None:
    office.join("w1")
    office.add()
    office.dispatcher.wake = lambda: None
    (run_id,) = office.open()
    office.engine.away = True
    with pytest.MonkeyPatch.context() as away:
        away.setattr(Dispatching, "take_back_these", _unreachable)
        with pytest.raises(DatabaseUnavailable):
            office.step()
    office.engine.away = False
    office.dispatcher._engine_back_at = 0.0
    office.heart.database.execute(_LATE)
    office.step()
    assert office.whom([run_id]) == ["w1"] and len(office.engine.sent) == 1


def _unreachable(*args: object) -> None:
    raise DatabaseUnavailable("it is away too")


def test_an_engine_that_fails_inside_keeps_no_run_from_being_written(heart: Heart) -> None:
    office = Office(heart, ListEngine(transactional=True))
    office.join("w1")
    office.add()
    office.engine.away = True
    (run_id,) = office.open()
    assert office.run(run_id).state == "pending" and office.whom([run_id]) == [None]
    office.engine.away = False
    office.step()
    assert office.whom([run_id]) == ["w1"]
