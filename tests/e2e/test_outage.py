"""The database goes away in every way it can: errors come soon, readiness is true, nothing is lost or doubled."""

import signal
import time
from collections.abc import Callable

import psutil
import psycopg
import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Hogs, Postgres
from tests.e2e.proxy import Fate, Proxy
from tests.e2e.service import SERVE, Answer
from tests.e2e.trial import RELENTLESS, Trial, found_sound, job
from tests.e2e.waiting import LONG, let_pass, scaled, until
from tests.e2e.watch import LIST, LIVENESS, READINESS, Watch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

JOBS = {"plain": job(1), "relentless": job(1, **RELENTLESS), "slow": job(2, "work", 0.5)}

# What the service promises, in seconds.
ERRORS_WITHIN = 10.0
NOT_READY_AFTER = 3.5
READY_WITHIN = 3.0
# A connection attempt whose first bytes were swallowed must time out before the next can succeed.
READY_WITHIN_AFTER_SILENCE = 4.0

FIRE = "INSERT INTO cronzimus.firings"
CLAIM = "SET state = 'running'"
REPLACE = "UPDATE cronzimus.runs SET cancel_requested_at"

COMMITS = [
    pytest.param(Fate.UNANSWERED, (FIRE, "COMMIT"), "", id="any-applied"),
    pytest.param(Fate.UNANSWERED, ("COMMIT",), CLAIM, id="claim-applied"),
]
if LONG:  # in the short form the sound halves of the mutations show these
    COMMITS += [
        pytest.param(Fate.LOST, (FIRE, "COMMIT"), "", id="any-lost"),
        pytest.param(Fate.UNANSWERED, (FIRE,), "", id="firing-applied"),
    ]

Step = Callable[[], object]


def is_ok(answer: Answer) -> bool:
    """Whether it was answered as asked."""
    return answer.status == 200


def is_refused(answer: Answer) -> bool:
    """Whether it was refused in the one shape of errors."""
    return answer.status == 503 and answer.is_problem


def watched_outage(
    trial: Trial, begin: Step, end: Step, seconds: float, ready_within: float = READY_WITHIN
) -> None:
    """Break the database for so long under the eyes of a watch, and hold the service to its promises."""
    (service,) = trial.fleet.services
    with Watch(service) as watch, trial.fault():
        begin()
        away = time.time()
        let_pass(seconds)
        began_to_end = time.time()
        end()
        back = time.time()
        service.wait_ready(15)
        until(lambda: watch.answers[LIST][-1].status == 200, 15, "the list of jobs")
        let_pass(max(0.5, back + ready_within + 0.5 - time.time()))
    assert all(map(is_ok, watch.answers[LIVENESS])) and watch.slowest(LIVENESS) < 2
    assert not any(map(is_ok, watch.between(READINESS, away + NOT_READY_AFTER, began_to_end)))
    assert all(map(is_ok, watch.between(READINESS, back + ready_within, float("inf"))))
    assert any(map(is_refused, watch.answers[LIST]))
    assert all(is_ok(answer) or is_refused(answer) for answer in watch.answers[LIST])
    assert watch.slowest(LIST) <= ERRORS_WITHIN
    print(
        f"not ready after {watch.first(READINESS, lambda answer: not is_ok(answer)) - away:.1f} s, "
        f"ready {watch.last(READINESS, lambda answer: not is_ok(answer)) - back:.1f} s after the end, "
        f"slowest answer {watch.slowest(LIST):.1f} s"
    )


@pytest.mark.parametrize("seconds", [20, 35, 70] if LONG else [6])
def test_stopped_database_is_outlived(postgres: Postgres, new_trial: NewTrial, seconds: float) -> None:
    trial = new_trial(postgres, JOBS)
    trial.fleet.start().wait_ready()
    trial.begin()
    watched_outage(trial, postgres.stop, postgres.start, seconds)
    found_sound(trial)


def test_frozen_database_is_outlived(postgres: Postgres, new_trial: NewTrial) -> None:
    trial = new_trial(postgres, JOBS)
    trial.fleet.start().wait_ready()
    trial.begin()
    watched_outage(trial, postgres.freeze, postgres.thaw, scaled(6, 30))
    found_sound(trial)


@pytest.mark.parametrize("hold", [False, True], ids=["swallowed", "delivered late"])
def test_silent_network_is_outlived(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial, hold: bool
) -> None:
    trial = new_trial(postgres, JOBS, proxy)
    trial.fleet.start().wait_ready()
    trial.begin()
    ready_within = READY_WITHIN if hold else READY_WITHIN_AFTER_SILENCE
    watched_outage(trial, lambda: proxy.blackhole(hold=hold), proxy.heal, scaled(6, 30), ready_within)
    found_sound(trial)


def test_cut_network_is_outlived(postgres: Postgres, proxy: Proxy, new_trial: NewTrial) -> None:
    trial = new_trial(postgres, JOBS, proxy)
    trial.fleet.start().wait_ready()
    trial.begin()
    watched_outage(trial, proxy.cut, proxy.heal, scaled(6, 30))
    found_sound(trial)


def test_exhausted_connections_are_outlived(postgres: Postgres, new_trial: NewTrial) -> None:
    trial = new_trial(postgres, JOBS)
    trial.fleet.start().wait_ready()
    trial.begin()
    (database,) = trial.query("SELECT current_database()")[0]
    hogs = Hogs(postgres, database)

    def starve() -> bool:
        hogs.grab()
        trial.query(_END_SESSIONS)
        hogs.grab()
        return not trial.query(_OTHER_SESSIONS)

    try:
        watched_outage(
            trial, lambda: until(starve, 20, "the hogs to have it all"), hogs.release, scaled(6, 30)
        )
    finally:
        hogs.release()
    found_sound(trial)


_OTHER_SESSIONS = "SELECT 1 FROM pg_stat_activity WHERE usename = 'cronzimus' AND application_name <> 'hog'"
_END_SESSIONS = _OTHER_SESSIONS.replace("SELECT 1", "SELECT pg_terminate_backend(pid)")


def test_replica_cut_off_from_the_database_is_replaced(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial
) -> None:
    trial = new_trial(postgres, JOBS, proxy, worker__lease_seconds=3)
    cut_off = trial.fleet.start().wait_ready()
    trial.begin()
    direct = trial.fleet.environment["DATABASE_URL"].replace(str(proxy.port), str(postgres.port))
    other = trial.fleet.start(DATABASE_URL=direct).wait_ready()
    assert trial.leader()[0] == cut_off.pid
    with Watch(cut_off, LIVENESS, READINESS) as watch, Watch(other, READINESS) as others, trial.fault():
        proxy.blackhole()
        away = time.time()
        leader, _ = trial.wait_for_leader(10, other_than=cut_off.pid)
        until(lambda: trial.starts("relentless", away + 2), 10 - (time.time() - away), "the other to fire")
        let_pass(scaled(9, 30) - (time.time() - away))
        ending = time.time()
        proxy.heal()
        cut_off.wait_ready(15)
    assert leader == other.pid
    assert all(map(is_ok, watch.answers[LIVENESS])) and all(map(is_ok, others.answers[READINESS]))
    assert not any(map(is_ok, watch.between(READINESS, away + NOT_READY_AFTER, ending)))
    let_pass(2)
    found_sound(trial)


@pytest.mark.parametrize(("fate", "texts", "after"), COMMITS)
def test_commit_that_fails_changes_nothing(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial, fate: Fate, texts: tuple[str, ...], after: str
) -> None:
    trial = new_trial(postgres, JOBS, proxy)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    with trial.fault():
        struck = proxy.meddle(fate, *texts, after=after, every=4)
        let_pass(scaled(6, 30))
        until(lambda: struck.done >= 2, 60, "the fault to meet something twice")
        proxy.be_reliable()
    service.wait_ready(10)
    found_sound(trial)
    assert {run.state for run in trial.history.runs} == {"success"}


def test_refused_write_is_told_and_may_be_repeated(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial
) -> None:
    trial = new_trial(postgres, JOBS, proxy)
    (service,) = trial.fleet.start_all(SERVE)
    trial.begin()
    wanted = {"id": "wanted", **job(3600)}
    with trial.fault():
        proxy.meddle(Fate.UNANSWERED, "COMMIT", after="INSERT INTO cronzimus.jobs", times=1)
        lost = service.post("/api/v1/jobs", wanted)
    again = service.post("/api/v1/jobs", wanted)
    assert is_refused(lost) and lost.seconds <= ERRORS_WITHIN
    assert (again.status, again.body["code"]) == (409, "JOB_EXISTS")
    let_pass(2)
    found_sound(trial)


def test_leader_frozen_inside_its_transaction_holds_up_nobody(
    postgres: Postgres, proxy: Proxy, new_trial: NewTrial
) -> None:
    replaced = job(1, "work", 5, overlap="replace", catch_up="all", catch_up_cap=1000, misfire_grace=86_400)
    trial = new_trial(postgres, {**JOBS, "replaced": replaced}, proxy, worker__lease_seconds=3)
    frozen = trial.fleet.start().wait_ready()
    trial.begin()
    trial.fleet.start().wait_ready()
    with trial.fault():
        proxy.meddle(Fate.CARRIED, REPLACE, times=1, then=lambda: frozen.send(signal.SIGSTOP))
        until(lambda: is_stopped(frozen.pid), 10, "the leader to be in the middle of its transaction")
        stopped = time.time()
        try:
            trial.wait_for_leader(10, other_than=frozen.pid)
            until(
                lambda: trial.starts("relentless", stopped + 1),
                10 - (time.time() - stopped),
                "another to fire",
            )
        finally:
            frozen.send(signal.SIGCONT)
    let_pass(3)
    found_sound(trial)


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process."""
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


def test_locked_job_delays_and_loses_nothing(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, JOBS)
    trial.fleet.start().wait_ready()
    trial.begin()
    with trial.fault(), psycopg.connect(trial.url) as connection:
        connection.execute("SELECT 1 FROM cronzimus.jobs WHERE id = 'plain' FOR UPDATE")
        let_pass(scaled(5, 30))
    let_pass(2)
    found_sound(trial)
