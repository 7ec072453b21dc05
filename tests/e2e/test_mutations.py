"""A judge that never saw the service fail proves little: with one safety removed it must find the harm done."""

import os
import signal
import time

import pytest

from tests.e2e import mutations
from tests.e2e.checker import Verdict
from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.proxy import Fate, Proxy
from tests.e2e.service import SERVE
from tests.e2e.trial import RELENTLESS, Trial, job
from tests.e2e.waiting import let_pass, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

JOBS = {"plain": job(1), "relentless": job(1, **RELENTLESS)}

both = pytest.mark.parametrize("mutated", [False, True], ids=["sound", "mutated"])


def prepared(trial: Trial, mutation: str, mutated: bool, replicas: int = 1) -> None:
    """Services that have run every job once, with or without the mutation."""
    if mutated:
        mutations.install(mutation, trial.fleet.folder / "lib")
    trial.fleet.start_all(*[SERVE] * replicas)
    trial.begin()


def judged(trial: Trial, kind: str, mutated: bool) -> Verdict:
    """The verdict, once it is known to be right: the harm by its name, or none at all."""
    verdict = trial.end(within=10)
    if mutated:
        assert verdict.sound is False and kind in verdict.kinds, str(verdict)
    else:
        assert verdict.sound is True, str(verdict)
    return verdict


@both
def test_job_set_back_doubles_without_the_key(
    new_trial: NewTrial, calm_postgres: Postgres, mutated: bool
) -> None:
    trial = new_trial(calm_postgres, JOBS)
    prepared(trial, mutations.WITHOUT_KEY, mutated)
    if mutated:
        trial.change("ALTER TABLE cronzimus.firings DROP CONSTRAINT firings_once_per_due_instant")
    let_pass(3)
    with trial.fault():
        trial.change("UPDATE cronzimus.jobs SET next_due_at = next_due_at - interval '3 seconds'")
    let_pass(2)
    judged(trial, "doubled", mutated)


_WROTE_LATE = """
SELECT 1 FROM cronzimus.firings late JOIN cronzimus.firings newer
    ON newer.epoch > late.epoch AND newer.decided_at < late.decided_at LIMIT 1
"""


def _stop_and_go_on(trial: Trial) -> None:
    leader, _ = trial.leader()
    with trial.fault():
        os.kill(leader, signal.SIGSTOP)
        try:
            trial.wait_for_leader(10, other_than=leader)
            stopped = time.time()
            until(lambda: trial.starts("relentless", stopped), 10, "the other to fire")
        finally:
            os.kill(leader, signal.SIGCONT)
        let_pass(4)


@both
def test_two_leaders_write_over_each_other_without_the_fence(
    new_trial: NewTrial, calm_postgres: Postgres, mutated: bool
) -> None:
    """Whether the leader is stopped just where it would write is a matter of luck, so the mutant is stopped again."""
    trial = new_trial(calm_postgres, JOBS, scheduler__leader_term_seconds=2, worker__lease_seconds=3)
    prepared(trial, mutations.WITHOUT_FENCE, mutated, replicas=2)
    for _ in range(5):
        _stop_and_go_on(trial)
        if not mutated or trial.query(_WROTE_LATE):
            break
    verdict = judged(trial, "stale_epoch", mutated)
    assert "doubled" not in verdict.kinds


@both
def test_outage_loses_instants_when_the_next_is_computed_from_now(
    new_trial: NewTrial, calm_postgres: Postgres, mutated: bool
) -> None:
    trial = new_trial(calm_postgres, JOBS)
    prepared(trial, mutations.NEXT_FROM_NOW, mutated)
    (service,) = trial.fleet.services
    with trial.fault():
        service.send(signal.SIGSTOP)
        let_pass(4)
        service.send(signal.SIGCONT)
    let_pass(2)
    judged(trial, "lost", mutated)


@pytest.mark.parametrize(
    ("mutation", "text", "after", "kind"),
    [
        (mutations.CLAIM_BEFORE_COMMIT, "COMMIT", "SET state = 'running'", "doubled"),
        (mutations.MOVE_BEFORE_LEDGER, "INSERT INTO cronzimus.firings", "", "lost"),
    ],
    ids=["the claim", "the firing"],
)
@both
def test_lost_commit_does_harm_when_it_was_acknowledged_before(
    postgres: Postgres,
    proxy: Proxy,
    new_trial: NewTrial,
    mutation: str,
    text: str,
    after: str,
    kind: str,
    mutated: bool,
) -> None:
    trial = new_trial(postgres, JOBS, proxy)
    prepared(trial, mutation, mutated)
    with trial.fault():
        lost = proxy.meddle(Fate.LOST, text, after=after, every=3)
        let_pass(5)
        proxy.be_reliable()
    assert lost.done
    judged(trial, kind, mutated)
