import threading
from datetime import UTC, datetime

from cronzimus.models.run import Ended, Held, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.outbox import Outbox


def report() -> Ended:
    now = datetime.now(UTC)
    return Ended(new_id(), 1, RunState.SUCCESS, now, now)


def test_take_gives_the_oldest_reports() -> None:
    outbox = Outbox()
    reports = [report() for _ in range(3)]
    for one in reports:
        outbox.add(one)
    assert outbox.take(2) == reports[:2]


def test_take_repeats_what_was_not_confirmed() -> None:
    outbox = Outbox()
    first, second = report(), report()
    outbox.add(first)
    assert outbox.take(10) == [first]
    outbox.add(second)
    assert outbox.take(10) == [first, second]


def test_take_grows_no_further_than_its_limit() -> None:
    outbox = Outbox()
    reports = [report() for _ in range(5)]
    for one in reports:
        outbox.add(one)
    assert outbox.take(2) == reports[:2]
    assert outbox.take(3) == reports[:3]


def test_confirm_drops_only_what_was_taken() -> None:
    outbox = Outbox()
    first, second = report(), report()
    outbox.add(first)
    outbox.take(10)
    outbox.add(second)
    outbox.confirm()
    assert outbox.take(10) == [second]


def test_length_counts_taken_and_waiting() -> None:
    outbox = Outbox()
    assert len(outbox) == 0
    outbox.add(report())
    outbox.add(report())
    outbox.take(1)
    assert len(outbox) == 2
    outbox.confirm()
    assert len(outbox) == 1


def test_held_names_every_report_under_way() -> None:
    outbox = Outbox()
    first, second = report(), report()
    outbox.add(first)
    outbox.add(second)
    outbox.take(1)
    assert outbox.held() == [Held(first.run_id, 1), Held(second.run_id, 1)]


def test_confirmed_reports_are_no_longer_held() -> None:
    outbox = Outbox()
    outbox.add(report())
    outbox.take(1)
    outbox.confirm()
    assert outbox.held() == []


def test_many_threads_may_add() -> None:
    outbox = Outbox()
    reports = [[report() for _ in range(100)] for _ in range(8)]

    def add(some: list[Ended]) -> None:
        for one in some:
            outbox.add(one)

    threads = [threading.Thread(target=add, args=(some,)) for some in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert {one.run_id for one in outbox.take(1000)} == {one.run_id for some in reports for one in some}
