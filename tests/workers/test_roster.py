import threading

from cronzimus.models.run import Held
from cronzimus.utils.ids import new_id
from cronzimus.workers.context import GRACE_SECONDS
from cronzimus.workers.outcome import Stop
from cronzimus.workers.roster import LiveAttempt, Roster
from tests.workers.support import claim, context


def attempt(**facts: object) -> LiveAttempt:
    return LiveAttempt(claim(**facts), lambda one: None)


def started(roster: Roster, **facts: object) -> LiveAttempt:
    one = attempt(**facts)
    roster.add(one)
    assert roster.start(one)
    return one


def test_attempt_executes_itself_when_called() -> None:
    seen = []
    one = LiveAttempt(claim(), seen.append)
    one()
    assert seen == [one]


def test_attempt_passes_an_earlier_stop_to_its_context() -> None:
    one, run = attempt(), context()
    one.stop = Stop.CANCELLED
    one.bind(run)
    assert run.cancelled


def test_attempt_without_a_stop_leaves_its_context_alone() -> None:
    one, run = attempt(), context()
    one.bind(run)
    assert not run.cancelled


def test_attempt_takes_its_grace_from_its_context() -> None:
    one, run = attempt(), context()
    assert one.grace_seconds == GRACE_SECONDS
    one.bind(run)
    run.grace_seconds = 7
    assert one.grace_seconds == 7


def test_attempt_uses_the_database_once_its_function_may() -> None:
    one, run = attempt(), context()
    assert not one.uses_database
    one.bind(run)
    assert not one.uses_database
    run.database
    assert one.uses_database


def test_isolated_attempt_may_always_use_the_database() -> None:
    one = attempt()
    one.isolated = True
    assert one.uses_database


def test_roster_counts_where_attempts_stand() -> None:
    roster = Roster()
    roster.add(attempt())
    started(roster)
    assert (roster.waiting, roster.running) == (1, 1)


def test_start_marks_the_moment() -> None:
    roster, one = Roster(), attempt()
    roster.add(one)
    assert one.started_at is None
    roster.start(one)
    assert one.started_at is not None and one.started_at.tzinfo is not None


def test_start_refuses_what_was_withdrawn() -> None:
    roster, one = Roster(), attempt()
    roster.add(one)
    assert roster.withdraw(one)
    assert not roster.start(one)
    assert one.started_at is None


def test_start_refuses_a_claim_that_was_given_back_and_made_again() -> None:
    """Given back, a claim costs no attempt: the next one has the same number and is another."""
    roster, run_id = Roster(), new_id()
    first, second = attempt(run_id=run_id), attempt(run_id=run_id)
    roster.add(first)
    roster.withdraw_all()
    roster.leave(first)
    roster.add(second)
    assert not roster.start(first)
    assert roster.start(second)


def test_longest_wait_is_that_of_the_oldest_claim() -> None:
    roster = Roster()
    assert roster.longest_wait() == 0.0
    first, second = attempt(), attempt()
    first.claimed_at -= 60
    roster.add(first)
    roster.add(second)
    assert 60 <= roster.longest_wait() < 120
    roster.start(first)
    assert roster.longest_wait() < 60


def test_start_happens_once() -> None:
    roster = Roster()
    one = started(roster)
    assert not roster.start(one)


def test_withdraw_refuses_what_has_started() -> None:
    roster = Roster()
    assert not roster.withdraw(started(roster))


def test_settle_belongs_to_the_first() -> None:
    roster = Roster()
    one = started(roster)
    assert roster.settle(one)
    assert not roster.settle(one)


def test_settle_refuses_what_has_not_started() -> None:
    roster, one = Roster(), attempt()
    roster.add(one)
    assert not roster.settle(one)


def test_settle_has_one_winner_among_many_threads() -> None:
    roster = Roster()
    attempts = [started(roster) for _ in range(200)]
    wins: list[LiveAttempt] = []
    barrier = threading.Barrier(4)

    def race() -> None:
        barrier.wait(20)
        for one in attempts:
            if roster.settle(one):
                wins.append(one)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(wins) == len(set(map(id, wins))) == 200


def test_roster_is_empty_only_after_everyone_left() -> None:
    roster = Roster()
    assert roster.is_empty
    one = started(roster)
    assert not roster.is_empty
    roster.settle(one)
    assert not roster.is_empty, "settled, but its report is not on its way yet"
    roster.leave(one)
    assert roster.is_empty


def test_withdraw_all_takes_the_waiting_ones() -> None:
    roster = Roster()
    waiting = [attempt() for _ in range(3)]
    for one in waiting:
        roster.add(one)
    running = started(roster)
    assert roster.withdraw_all() == waiting
    assert roster.everything() == [running]
    assert not roster.is_empty


def test_of_run_finds_every_attempt_of_it() -> None:
    roster, run_id = Roster(), new_id()
    first = started(roster, run_id=run_id, attempt=1)
    second = attempt(run_id=run_id, attempt=2)
    roster.add(second)
    started(roster)
    assert roster.of_run(run_id) == [first, second]
    assert roster.of_run(new_id()) == []


def test_find_tells_attempts_of_one_run_apart() -> None:
    roster, run_id = Roster(), new_id()
    first = started(roster, run_id=run_id, attempt=1)
    assert roster.find(Held(run_id, 1)) is first
    assert roster.find(Held(run_id, 2)) is None


def test_is_running_knows_the_settled_from_the_running() -> None:
    roster = Roster()
    one = started(roster)
    assert roster.is_running(one)
    roster.settle(one)
    assert not roster.is_running(one)


def test_held_keeps_leases_until_the_report_is_on_its_way() -> None:
    roster = Roster()
    waiting, running, settled = attempt(), started(roster), started(roster)
    roster.add(waiting)
    roster.settle(settled)
    assert set(roster.held()) == {waiting.held, running.held, settled.held}
    roster.leave(settled)
    assert set(roster.held()) == {waiting.held, running.held}


def test_held_leaves_out_what_has_ended_its_run_itself() -> None:
    roster = Roster()
    one, run = started(roster), context()
    one.bind(run)
    assert roster.held() == [one.held]
    run.committed = True
    assert roster.held() == []
