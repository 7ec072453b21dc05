import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.run import Offer
from cronzimus.utils.ids import new_id
from cronzimus.workers.engines.inline import InlineEngine


class Clock:
    """The monotonic clock, moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("cronzimus.workers.engines.inline.time", clock)
    return clock


def later(run_id: UUID, seconds: float) -> Offer:
    return Offer(run_id, datetime.now(UTC) + timedelta(seconds=seconds))


def test_take_gives_the_oldest_first() -> None:
    engine = InlineEngine()
    ids = [new_id() for _ in range(5)]
    engine.offer([Offer(run_id, None) for run_id in ids])
    assert engine.take(2) == ids[:2]
    assert engine.take(10) == ids[2:]
    assert engine.take(10) == []


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_take_respects_its_limit(limit: int) -> None:
    engine = InlineEngine()
    engine.offer([Offer(new_id(), None) for _ in range(3)])
    assert len(engine.take(limit)) == limit


def test_offer_of_a_waiting_id_changes_nothing() -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([Offer(run_id, None), Offer(run_id, None)])
    engine.offer([Offer(run_id, None)])
    assert engine.take(10) == [run_id]


def test_offer_of_a_held_id_changes_nothing() -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    engine.take(1)
    engine.offer([Offer(run_id, None), later(run_id, 60)])
    assert engine.take(10) == []
    assert engine.next_in() is None


def test_forget_lets_the_id_come_back() -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    engine.take(1)
    engine.forget(run_id)
    engine.offer([Offer(run_id, None)])
    assert engine.take(1) == [run_id]


def test_forget_of_an_unknown_id_is_harmless() -> None:
    InlineEngine().forget(new_id())


def test_offer_with_a_moment_waits_for_it(clock: Clock) -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, 30)])
    assert engine.take(1) == []
    clock.now += 29
    assert engine.take(1) == []
    clock.now += 1.1
    assert engine.take(1) == [run_id]


def test_offer_with_a_past_moment_is_due_now(clock: Clock) -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, -5)])
    assert engine.next_in() == 0.0
    assert engine.take(1) == [run_id]


def test_offers_come_in_the_order_of_their_moments(clock: Clock) -> None:
    engine = InlineEngine()
    first, second, third = new_id(), new_id(), new_id()
    engine.offer([later(third, 30), later(first, 10), later(second, 20)])
    clock.now += 60
    assert engine.take(10) == [first, second, third]


def test_next_in_names_the_nearest_moment(clock: Clock) -> None:
    engine = InlineEngine()
    engine.offer([later(new_id(), 30), later(new_id(), 10)])
    assert engine.next_in() == pytest.approx(10, abs=0.5)


def test_next_in_never_falls_below_zero(clock: Clock) -> None:
    engine = InlineEngine()
    engine.offer([later(new_id(), 1)])
    clock.now += 100
    assert engine.next_in() == 0.0


def test_next_in_is_none_when_nothing_waits() -> None:
    engine = InlineEngine()
    assert engine.next_in() is None
    engine.offer([Offer(new_id(), None)])
    engine.take(1)
    assert engine.next_in() is None


def test_earlier_offer_brings_a_delayed_id_forward(clock: Clock) -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, 300)])
    engine.offer([later(run_id, 10)])
    clock.now += 11
    assert engine.take(10) == [run_id]
    clock.now += 300
    assert engine.take(10) == []


def test_offer_without_a_moment_brings_a_delayed_id_forward(clock: Clock) -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, 300)])
    engine.offer([Offer(run_id, None)])
    assert engine.take(10) == [run_id]
    clock.now += 301
    assert engine.take(10) == []


def test_later_offer_does_not_delay_an_id(clock: Clock) -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, 10)])
    engine.offer([later(run_id, 300)])
    clock.now += 11
    assert engine.take(10) == [run_id]


def test_put_back_ids_are_the_next_to_be_taken() -> None:
    engine = InlineEngine()
    ids = [new_id() for _ in range(4)]
    engine.offer([Offer(run_id, None) for run_id in ids])
    taken = engine.take(2)
    engine.put_back(taken)
    assert engine.take(10) == ids


def test_put_back_keeps_the_place_of_each(clock: Clock) -> None:
    engine = InlineEngine()
    low, high = Offer(new_id(), None), Offer(new_id(), None, priority=1)
    engine.offer([low])
    taken = engine.take(1)
    engine.offer([high])
    engine.put_back(taken)
    assert engine.take(2) == [high.run_id, low.run_id]


def test_put_back_takes_in_what_was_forgotten_meanwhile() -> None:
    engine, run_id = InlineEngine(), new_id()
    engine.put_back([run_id])
    engine.offer([Offer(run_id, None)])
    assert engine.take(10) == [run_id]


def test_put_back_keeps_the_ids_known() -> None:
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    engine.put_back(engine.take(1))
    engine.offer([Offer(run_id, None)])
    assert engine.take(10) == [run_id]


def test_callback_is_told_of_new_ids_only() -> None:
    told = []
    engine = InlineEngine(lambda: told.append(1))
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    engine.offer([Offer(run_id, None)])
    engine.offer([])
    assert told == [1]


def test_callback_is_told_when_an_id_is_brought_forward() -> None:
    told = []
    engine = InlineEngine()
    run_id = new_id()
    engine.offer([later(run_id, 100)])
    engine.subscribe(lambda: told.append(1))
    engine.offer([later(run_id, 1)])
    assert told == [1]


def test_callback_may_take() -> None:
    engine = InlineEngine()
    taken: list[UUID] = []
    engine.subscribe(lambda: taken.extend(engine.take(10)))
    run_id = new_id()
    engine.offer([Offer(run_id, None)])
    assert taken == [run_id]


def test_many_threads_lose_and_double_nothing() -> None:
    engine = InlineEngine()
    batches = [[Offer(new_id(), None) for _ in range(50)] for _ in range(20)]
    seen: list[UUID] = []
    lock = threading.Lock()

    def feed(batch: list[Offer]) -> None:
        for offer in batch:
            engine.offer([offer])
            engine.offer([offer])

    def drink() -> None:
        while True:
            taken = engine.take(7)
            with lock:
                seen.extend(taken)
                if len(seen) >= 1000:
                    return

    threads = [threading.Thread(target=feed, args=(batch,)) for batch in batches]
    threads += [threading.Thread(target=drink) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(seen) == sorted(offer.run_id for batch in batches for offer in batch)


def of_backfill(seconds: float | None = None) -> Offer:
    moment = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    return Offer(new_id(), moment, backfill=True)


def test_runs_of_backfills_come_behind_the_others() -> None:
    engine = InlineEngine()
    filling, live = [of_backfill() for _ in range(3)], [Offer(new_id(), None) for _ in range(2)]
    engine.offer([*filling, *live])
    assert engine.waiting == 2
    assert engine.take(4, 5) == [live[0].run_id, live[1].run_id, filling[0].run_id, filling[1].run_id]


@pytest.mark.parametrize(("room", "taken"), [(0, 0), (1, 1), (2, 2), (9, 3)])
def test_runs_of_backfills_are_given_up_to_their_share(room: int, taken: int) -> None:
    engine = InlineEngine()
    engine.offer([of_backfill() for _ in range(3)])
    assert len(engine.take(5, room)) == taken


def test_a_full_lane_is_nothing_to_wake_up_for() -> None:
    engine = InlineEngine()
    engine.offer([of_backfill()])
    assert engine.next_in() == 0.0 and engine.next_in(of_backfills=False) is None
    engine.offer([Offer(new_id(), None)])
    assert engine.next_in(of_backfills=False) == 0.0


def test_lane_is_kept_through_delay_return_and_forgetting(clock: Clock) -> None:
    engine = InlineEngine()
    late, live = of_backfill(5), Offer(new_id(), None)
    engine.offer([late, live])
    clock.now += 6
    assert engine.take(2, 0) == [live.run_id]
    taken = engine.take(2, 1)
    engine.put_back(taken)
    assert taken == [late.run_id] and engine.take(2, 0) == []
    assert engine.take(2, 1) == [late.run_id]
    engine.forget(late.run_id)
    engine.offer([Offer(late.run_id, None)])
    assert engine.take(2, 0) == [late.run_id]


def test_higher_priority_goes_first_and_equals_keep_their_order(clock: Clock) -> None:
    engine = InlineEngine()
    offers = [Offer(new_id(), None, priority=priority) for priority in (0, 5, -5, 5, 0)]
    engine.offer(offers)
    assert engine.take(5) == [offers[number].run_id for number in (1, 3, 0, 4, 2)]


@pytest.mark.parametrize(("minutes", "first"), [(9.9, "fresh"), (10.1, "old")])
def test_point_of_priority_is_worth_a_minute_of_waiting(clock: Clock, minutes: float, first: str) -> None:
    engine = InlineEngine()
    old, fresh = Offer(new_id(), None, priority=-4), Offer(new_id(), None, priority=6)
    engine.offer([old])
    clock.now += minutes * 60
    engine.offer([fresh])
    assert engine.take(1) == [old.run_id if first == "old" else fresh.run_id]


def test_delayed_id_is_ranked_from_its_moment(clock: Clock) -> None:
    engine = InlineEngine()
    delayed, plain = later(new_id(), 300), Offer(new_id(), None, priority=-4)
    engine.offer([delayed, plain])
    clock.now += 301
    assert engine.take(2) == [plain.run_id, delayed.run_id]


def test_lane_of_backfills_has_priorities_too(clock: Clock) -> None:
    engine = InlineEngine()
    low, high = Offer(new_id(), None, True, priority=-9), Offer(new_id(), None, True, priority=9)
    live = Offer(new_id(), None, priority=-100)
    engine.offer([low, high, live])
    assert engine.take(3) == [live.run_id, high.run_id, low.run_id]


class _At:
    """A monotonic clock for properties, which can have no fixture."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@given(
    st.lists(
        st.tuples(st.floats(0, 20_000), st.integers(-100, 100), st.integers(0, 3)), min_size=1, max_size=40
    )
)
def test_nothing_starves(steps: list[tuple[float, int, int]]) -> None:
    """Whoever is taken had the lowest rank of all that waited; so none waits longer than all points are worth."""
    engine, at, waiting = InlineEngine(), _At(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cronzimus.workers.engines.inline.time", at)
        for seconds, priority, places in steps:
            at.now += seconds
            offer = Offer(new_id(), None, priority=priority)
            engine.offer([offer])
            waiting[offer.run_id] = (at.now, priority)
            for run_id in engine.take(places):
                since, points = waiting.pop(run_id)
                assert all(since - points * 60 <= asked - own * 60 for asked, own in waiting.values())
                assert all(asked > since - 200 * 60 for asked, _ in waiting.values())
