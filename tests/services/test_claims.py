"""Claim, report, keep, give back: compare-and-set under every kind of race."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.common.db import Database, Refused
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import Ended, Held, Offer, RunState
from tests.heart import Heart


def pending(heart: Heart, count: int = 1, **job: Any) -> list[Offer]:
    """Runs started by hand, waiting."""
    heart.add(trigger={"type": "manual"}, **job)
    return [Offer(heart.runs.trigger("a", by="t").id, None) for _ in range(count)]


def test_claim_takes_lease_worker_and_attempt(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart))
    run = heart.history.run(claim.run_id)
    assert (run.state, run.attempt, run.worker_id) == ("running", 1, "w")
    assert run.lease_until is not None and run.started_at is not None and run.lease_until > run.started_at
    assert (claim.job_id, claim.attempt, claim.max_attempts, claim.trace_id) == ("a", 1, 1, run.trace_id)


class Forgetful(Database):
    """A database whose next transactions are carried out, or rolled back, and never answered."""

    applied: list[bool] = []

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Lose the answer while `applied` says so."""
        if not self.applied:
            with super().transaction() as connection:
                yield connection
            return
        applied = self.applied.pop()
        with suppress(_RolledBack), super().transaction() as connection:
            yield connection
            if not applied:
                raise _RolledBack
        raise DatabaseUnavailable("the answer was lost")


class _RolledBack(Exception):
    pass


@pytest.fixture
def forgetful(database_url: str) -> Iterator[Forgetful]:
    """Such a database, answering everything at first."""
    pool = Forgetful(database_url, max_connections=5)
    pool.applied = []
    yield pool
    pool.close()


@pytest.mark.parametrize("applied", [True, False])
def test_claim_whose_answer_was_lost_is_taken_up(forgetful: Forgetful, applied: bool) -> None:
    heart = Heart(forgetful)
    offers = pending(heart)
    forgetful.applied = [applied]
    with pytest.raises(DatabaseUnavailable):
        heart.claim(offers)
    (claim,) = heart.claim(offers)
    assert (claim.run_id, claim.attempt) == (offers[0].run_id, 1)
    assert heart.history.run(claim.run_id).attempt == 1
    assert heart.claim(offers) == ()


def test_claims_taken_up_survive_the_next_lost_answer(forgetful: Forgetful) -> None:
    heart = Heart(forgetful)
    offers = pending(heart, 2, policy={"overlap": "allow"})
    forgetful.applied = [True]
    with pytest.raises(DatabaseUnavailable):
        heart.claim(offers[:1])
    forgetful.applied = [True]
    with pytest.raises(DatabaseUnavailable):
        heart.claim(offers)
    assert {claim.run_id for claim in heart.claim(offers)} == {offer.run_id for offer in offers}


def test_claim_in_doubt_that_another_has_by_now_is_left_alone(forgetful: Forgetful) -> None:
    heart = Heart(forgetful)
    offers = pending(heart, policy={"max_attempts": 2, "backoff": 0})
    forgetful.applied = [True]
    with pytest.raises(DatabaseUnavailable):
        heart.claim(offers, lease=0)
    heart.upkeep.reap()
    (theirs,) = Heart(forgetful).claim(offers, worker="another")
    assert heart.claim(offers) == () and theirs.attempt == 2


def test_run_is_claimed_once_whoever_asks(heart: Heart) -> None:
    offers = pending(heart)
    assert len(heart.claim(offers)) == 1
    assert heart.claim(offers, worker="another") == ()


def test_many_workers_share_many_runs_without_a_double(heart: Heart) -> None:
    offers = pending(heart, 60, policy={"overlap": "allow"})
    with ThreadPoolExecutor(5) as pool:
        shares = list(pool.map(lambda name: heart.claim(offers, worker=name), ["v", "w", "x", "y", "z"]))
    taken = [claim.run_id for share in shares for claim in share]
    assert len(set(taken)) == len(taken) <= 60
    rest = [offer for offer in offers if offer.run_id not in set(taken)]
    assert len(heart.claim(rest)) == 60 - len(taken)


def test_job_that_may_not_overlap_gives_one_run_at_a_time(heart: Heart) -> None:
    offers = pending(heart, 3)
    (first,) = heart.claim(offers)
    assert heart.claim(offers) == ()
    (behind,) = heart.end(first)
    (second,) = heart.claim([behind])
    assert second.run_id == offers[1].run_id


def test_workers_racing_for_an_exclusive_job_never_both_win(heart: Heart) -> None:
    offers = pending(heart, 8)
    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(lambda n: heart.claim([offers[n]], worker=f"w{n}"), range(4)))
    assert sum(len(share) for share in shares) == 1


def test_max_instances_bounds_what_runs_at_one_time(heart: Heart) -> None:
    offers = pending(heart, 5, policy={"overlap": "queue", "max_instances": 2})
    assert len(heart.claim(offers)) == 2
    assert heart.claim(offers) == ()


def test_run_is_not_claimed_before_its_time(heart: Heart) -> None:
    (offer,) = pending(heart)
    heart.database.execute("UPDATE cronzimus.runs SET not_before = clock_timestamp() + interval '1 hour'")
    assert heart.claim([offer]) == ()


@pytest.mark.parametrize("state", ["success", "partial", "failed", "timeout", "cancelled", "lost"])
def test_report_ends_the_run_and_keeps_the_attempt(heart: Heart, state: str) -> None:
    (claim,) = heart.claim(pending(heart))
    error = {"type": "X", "category": "SYSTEM", "message": "m"} if state != "success" else None
    heart.end(claim, RunState(state), result={"n": 1}, error=error, metrics={"exit_code": 0})
    run = heart.history.run(claim.run_id)
    assert (run.state, run.result, run.error, run.metrics) == (state, {"n": 1}, error, {"exit_code": 0})
    assert run.ended_at is not None and run.lease_until is None
    (attempt,) = heart.history.attempts(claim.run_id)
    assert (attempt.attempt, attempt.state, attempt.worker_id, attempt.error) == (1, state, "w", error)


def test_report_repeated_after_an_unknown_commit_changes_nothing(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart))
    heart.end(claim)
    before = heart.history.run(claim.run_id)
    heart.end(claim, RunState.FAILED)
    assert heart.history.run(claim.run_id) == before
    assert len(heart.history.attempts(claim.run_id)) == 1


def test_failed_attempt_with_tries_left_waits_its_backoff(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart, policy={"max_attempts": 3}))
    (again,) = [
        o for o in heart.end(claim, RunState.FAILED, retry_in=30.0, error={"message": "x"}) if o.not_before
    ]
    run = heart.history.run(claim.run_id)
    assert (run.state, run.attempt, run.worker_id, run.ended_at) == ("pending", 1, None, None)
    assert again.run_id == claim.run_id and again.not_before == run.not_before
    assert again.not_before is not None and again.not_before > datetime.now(UTC) + timedelta(seconds=20)
    assert heart.history.attempts(claim.run_id)[0].state == "failed"


def test_snoozed_attempt_is_not_counted(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart))
    heart.end(claim, RunState.FAILED, retry_in=0.0, costs_attempt=False)
    run = heart.history.run(claim.run_id)
    assert (run.state, run.attempt) == ("pending", 0)
    assert heart.history.attempts(claim.run_id) == ()


def test_late_report_of_a_replaced_attempt_touches_nothing(heart: Heart) -> None:
    (first,) = heart.claim(pending(heart, policy={"max_attempts": 2}), worker="zombie")
    heart.database.execute("UPDATE cronzimus.runs SET lease_until = clock_timestamp() - interval '1 second'")
    heart.upkeep.reap()
    heart.database.execute("UPDATE cronzimus.runs SET not_before = NULL")
    (second,) = heart.claim([Offer(first.run_id, None)])
    heart.end(first, RunState.SUCCESS, worker="zombie")
    assert heart.state_of(first.run_id) == "running"
    heart.end(second, RunState.FAILED)
    assert heart.state_of(first.run_id) == "failed"


def test_renewal_keeps_what_is_held_and_names_what_is_lost(heart: Heart) -> None:
    offers = pending(heart, 3, policy={"overlap": "allow"})
    kept, cancelled, lost = heart.claim(offers)
    heart.runs.cancel(cancelled.run_id, by="t")
    heart.end(lost)
    held = [Held(claim.run_id, claim.attempt) for claim in (kept, cancelled, lost)]
    before = heart.history.run(kept.run_id).lease_until
    renewal = heart.claims.renew(held, worker_id="w", lease_seconds=60)
    after = heart.history.run(kept.run_id).lease_until
    assert renewal.lost == {lost.run_id} and renewal.cancelled == {cancelled.run_id}
    assert before is not None and after is not None and after > before + timedelta(seconds=30)


def test_renewal_does_not_wait_for_a_run_that_somebody_is_changing(heart: Heart) -> None:
    claims = heart.claim(pending(heart, 2, policy={"overlap": "allow"}))
    busy, free = claims
    before = heart.history.run(free.run_id).lease_until
    elsewhere = Database(heart.database.url, 1)
    with elsewhere.transaction():
        elsewhere.execute("UPDATE cronzimus.runs SET priority = 1 WHERE id = %s", [busy.run_id])
        held = [Held(claim.run_id, claim.attempt) for claim in claims]
        renewal = heart.claims.renew(held, worker_id="w", lease_seconds=60)
    elsewhere.close()
    after = heart.history.run(free.run_id).lease_until
    assert (renewal.lost, renewal.cancelled) == (frozenset(), frozenset())
    assert before is not None and after is not None and after > before + timedelta(seconds=30)


def test_released_run_waits_again_and_spent_nothing(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart))
    heart.claims.release([Held(claim.run_id, claim.attempt)], worker_id="w")
    run = heart.history.run(claim.run_id)
    assert (run.state, run.attempt, run.worker_id) == ("pending", 0, None)


def test_one_exchange_reports_and_claims(heart: Heart) -> None:
    first, second = pending(heart, 2)
    (claim,) = heart.claim([first])
    now = datetime.now(UTC)
    ended = [Ended(claim.run_id, claim.attempt, RunState.SUCCESS, now, now)]
    exchange = heart.claims.exchange(ended, [second.run_id], worker_id="w", lease_seconds=15)
    assert [c.run_id for c in exchange.claimed] == [second.run_id]
    assert heart.state_of(first.run_id) == "success"


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        {"x": float("inf")},
        "nul \x00 inside",
        {"k\x00": 1},
        "lone \ud800 surrogate",
        {1, 2},
        10**400,
        '{"\\,}',
    ],
)
def test_poisonous_result_holds_nobody_up(heart: Heart, result: Any) -> None:
    poisoned, healthy = heart.claim(pending(heart, 2, policy={"overlap": "allow"}))
    now = datetime.now(UTC)
    ended = [
        Ended(poisoned.run_id, 1, RunState.SUCCESS, now, now, result=result),
        Ended(healthy.run_id, 1, RunState.SUCCESS, now, now, result="fine"),
    ]
    heart.claims.exchange(ended, [], worker_id="w", lease_seconds=15)
    assert heart.state_of(poisoned.run_id) == heart.state_of(healthy.run_id) == "success"
    assert heart.history.run(healthy.run_id).result == "fine"


def test_report_the_database_refuses_is_never_taken_for_delivered(heart: Heart) -> None:
    (claim,) = heart.claim(pending(heart))
    heart.database.execute("ALTER TABLE cronzimus.attempts ADD CONSTRAINT none CHECK (false) NOT VALID")
    with pytest.raises(Refused):
        heart.end(claim)
    assert heart.state_of(claim.run_id) == "running"


def test_retry_keeps_its_priority(heart: Heart) -> None:
    heart.add(trigger={"type": "manual"}, priority=8, policy={"max_attempts": 2})
    heart.runs.trigger("a", by="t")
    (claim,) = heart.claim(heart.offered)
    (again,) = heart.end(claim, RunState.FAILED, retry_in=1.0)
    assert (again.run_id, again.priority) == (claim.run_id, 8)


# --- what the dispatcher gave ------------------------------------------------------------------------


def dispatched(heart: Heart, worker: str, count: int) -> list[Offer]:
    """Runs that were given to a worker."""
    heart.add("w", trigger={"type": "manual"}, runs_on="workers", policy={"overlap": "allow"})
    offers = [Offer(heart.runs.trigger("w", by="t").id, None) for _ in range(count)]
    for offer in offers:
        heart.database.execute(
            "UPDATE cronzimus.runs SET worker_id = %s, dispatched_at = clock_timestamp() WHERE id = %s",
            [worker, offer.run_id],
        )
    return offers


def test_what_was_given_and_not_claimed_goes_back_and_what_runs_stays(heart: Heart) -> None:
    claimed, *others = dispatched(heart, "w", 3)
    heart.claim([claimed], worker="w")
    assert set(heart.claims.hand_back(worker_id="w")) == {offer.run_id for offer in others}
    assert [heart.state_of(offer.run_id) for offer in (claimed, *others)] == ["running", "pending", "pending"]
    back = heart.history.run(others[0].run_id)
    assert (back.worker_id, back.dispatched_at) == (None, None)
    assert heart.claim(others, worker="w") == ()


def test_what_others_were_given_does_not_go_back(heart: Heart) -> None:
    (offer,) = dispatched(heart, "other", 1)
    assert heart.claims.hand_back(worker_id="w") == []
    assert len(heart.claim([offer], worker="other")) == 1
