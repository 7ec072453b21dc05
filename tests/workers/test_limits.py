from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.hold import Hold
from cronzimus.models.job import JobDefinition
from cronzimus.workers.limits import (
    EVERYBODY,
    Pool,
    QueueState,
    RateWish,
    Usage,
    Wish,
    own_rate,
    takes_of,
    wish_of,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)
TEN_A_MINUTE = RateWish("shop", 10, 60.0)


def wish(**fields: Any) -> Wish:
    return Wish(**{"queue": "etl", "queued_at": NOW, **fields})


def usage(**fields: Any) -> Usage:
    return Usage(**{"queues": {}, "now": NOW, **fields})


def job(**limits: Any) -> JobDefinition:
    params = {"func": "os:getcwd", "kwargs": {"tenant": "a"}}
    document = {"id": "load", "params": params, "trigger": {"type": "manual"}, "limits": limits}
    return JobDefinition.model_validate(document)


def test_what_takes_nothing_starts() -> None:
    assert usage().refusal(wish()) is None


@pytest.mark.parametrize(
    ("status", "queued_at", "refused"),
    [
        ("active", LATER, None),
        ("paused", EARLIER, "queue:etl"),
        ("paused", LATER, "queue:etl"),
        ("draining", EARLIER, None),
        ("draining", NOW, None),
        ("draining", LATER, "queue:etl"),
    ],
)
def test_queue_lets_start_as_it_stands(status: str, queued_at: datetime, refused: str | None) -> None:
    queues = {"etl": QueueState(status, NOW), "other": QueueState("paused", NOW)}
    assert usage(queues=queues).refusal(wish(queued_at=queued_at)) == refused


@pytest.mark.parametrize(("status", "free"), [("active", EVERYBODY), ("paused", 0), ("draining", 0)])
def test_queue_lets_all_go_or_none(status: str, free: int) -> None:
    assert usage(queues={"etl": QueueState(status, NOW)}).free_of("queue:etl") == free
    assert usage().free_of("queue:etl") == EVERYBODY


def test_mutex_is_held_by_one() -> None:
    round_ = usage(mutexes=["a"])
    assert round_.refusal(wish(mutex="a")) == "mutex:a"
    assert (round_.free_of("mutex:a"), round_.free_of("mutex:b")) == (0, 1)
    assert round_.refusal(wish(mutex="b")) is None
    round_.take(wish(mutex="b"))
    assert round_.refusal(wish(mutex="b")) == "mutex:b" and round_.free_of("mutex:b") == 0


def test_pool_gives_what_is_free() -> None:
    round_ = usage(pools={"db": Pool(5, 2)})
    assert round_.free_of("pool:db") == 3
    round_.take(wish(pool="db", slots=2))
    assert round_.free_of("pool:db") == 1
    assert round_.refusal(wish(pool="db")) is None
    assert round_.refusal(wish(pool="db", slots=2)) == "pool:db"


def test_large_run_is_not_overtaken_within_the_round() -> None:
    round_ = usage(pools={"db": Pool(3, 1)})
    assert round_.refusal(wish(pool="db", slots=3)) == "pool:db"
    assert round_.refusal(wish(pool="db", slots=1)) == "pool:db"
    assert round_.free_of("pool:db") == 0


@pytest.mark.parametrize(("pools", "free"), [({}, 0), ({"db": Pool(0)}, 0), ({"db": Pool(2)}, 0)])
def test_what_a_pool_never_has_stands_in_a_line_of_its_own(pools: dict[str, Pool], free: int) -> None:
    round_ = usage(pools=pools)
    assert round_.refusal(wish(pool="db", slots=3)) == "slots:3/db"
    assert round_.free_of("slots:3/db") == free


def test_impossible_run_is_in_nobodys_way_and_goes_on_when_the_pool_grows() -> None:
    round_ = usage(pools={"db": Pool(2)})
    assert round_.refusal(wish(pool="db", slots=3)) == "slots:3/db"
    assert round_.refusal(wish(pool="db", slots=2)) is None
    assert usage(pools={"db": Pool(4)}).free_of("slots:3/db") == 4


def test_pool_that_shrank_below_what_is_taken_has_nothing() -> None:
    round_ = usage(pools={"db": Pool(2, 5)})
    assert round_.free_of("pool:db") == 0 and round_.refusal(wish(pool="db")) == "pool:db"


def test_rate_remembers_the_stretch_before_now() -> None:
    starts = [NOW - timedelta(seconds=60), *[NOW - timedelta(seconds=59)] * 9]
    round_ = usage(rates={"shop": starts})
    assert round_.free_of("rate:10/60/shop") == 1
    assert round_.refusal(wish(rate=TEN_A_MINUTE)) is None and round_.not_before(TEN_A_MINUTE) is None
    round_.take(wish(rate=TEN_A_MINUTE))
    assert round_.refusal(wish(rate=TEN_A_MINUTE)) == "rate:10/60/shop" == TEN_A_MINUTE.held_by
    assert round_.free_of("rate:10/60/shop") == 0
    assert round_.not_before(TEN_A_MINUTE) == NOW + timedelta(seconds=1)


def test_jobs_that_share_a_key_may_keep_to_different_limits() -> None:
    round_ = usage(rates={"shop": [NOW - timedelta(seconds=30)] * 3})
    assert round_.refusal(wish(rate=RateWish("shop", 3, 60.0))) == "rate:3/60/shop"
    assert round_.refusal(wish(rate=RateWish("shop", 3, 20.0))) is None
    assert (round_.free_of("rate:3/60/shop"), round_.free_of("rate:5/60/shop")) == (0, 2)


@pytest.mark.parametrize("held_by", ["worker:{}", "job:load", "moon"])
def test_what_is_not_ours_to_judge_is_never_free(held_by: str) -> None:
    assert usage().free_of(held_by) == 0


MOMENTS = st.integers(-200, 0).map(lambda seconds: NOW + timedelta(seconds=seconds))
WISHES = st.builds(
    Wish,
    queue=st.sampled_from(["a", "b", "c"]),
    queued_at=st.sampled_from([EARLIER, NOW, LATER]),
    mutex=st.sampled_from([None, "m", "n"]),
    pool=st.sampled_from([None, "p", "q", "gone"]),
    slots=st.integers(1, 4),
    rate=st.one_of(
        st.none(),
        st.builds(RateWish, st.sampled_from(["r", "s"]), st.integers(1, 4), st.sampled_from([30.0, 60.0])),
    ),
)


@given(
    st.lists(WISHES, max_size=30),
    st.integers(0, 6),
    st.integers(0, 6),
    st.lists(MOMENTS, max_size=6),
    st.sampled_from(["paused", "draining"]),
)
def test_round_never_gives_more_than_there_is(
    wishes: list[Wish], size: int, taken: int, starts: list[datetime], status: str
) -> None:
    pools = {"p": Pool(size, taken), "q": Pool(3)}
    queues = {"a": QueueState(status, NOW)}
    round_ = usage(queues=queues, mutexes=["n"], pools=pools, rates={"r": starts})
    started = []
    for one in wishes:
        refused = round_.refusal(one)
        assert round_.refusal(one) == refused
        if refused is None:
            round_.take(one)
            started.append(one)
        else:
            assert round_.free_of(refused) < one.slots or refused.startswith("queue:")
    assert sum(one.mutex == "m" for one in started) <= 1 and all(one.mutex != "n" for one in started)
    assert sum(one.slots for one in started if one.pool == "p") <= max(0, size - taken)
    assert sum(one.slots for one in started if one.pool == "q") <= 3
    assert all(one.pool != "gone" for one in started)
    assert all(one.queue != "a" or (status == "draining" and one.queued_at <= NOW) for one in started)
    for number, one in enumerate(started):
        if one.rate is not None:
            before = [other for other in started[:number] if other.rate and other.rate.key == one.rate.key]
            still = [at for at in starts if at > NOW - timedelta(seconds=one.rate.seconds)]
            held = len(still) if one.rate.key == "r" else 0
            assert held + len(before) < one.rate.limit


@given(st.lists(MOMENTS, max_size=12), st.integers(1, 5), st.sampled_from([30.0, 60.0, 90.5]))
def test_moment_of_a_rate_is_the_first_at_which_it_has_room(
    starts: list[datetime], limit: int, seconds: float
) -> None:
    rate = RateWish("r", limit, seconds)
    moment = usage(rates={"r": starts}).not_before(rate)
    if moment is None:
        assert usage(rates={"r": starts}).refusal(wish(rate=rate)) is None
        return
    just_before = moment - timedelta(microseconds=1)
    assert usage(rates={"r": starts}, now=just_before).refusal(wish(rate=rate)) is not None
    assert usage(rates={"r": starts}, now=moment).refusal(wish(rate=rate)) is None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20), st.integers(1, 4))
def test_nothing_that_fits_its_pool_waits_for_ever(sizes: list[int], capacity: int) -> None:
    """Rounds as the dispatcher makes them: the first of the line is let go, then asked for; one run ends each round."""
    line = [size for size in sizes if size <= capacity]
    running: list[int] = []
    for _ in range(2 * len(line) + 1):
        round_ = usage(pools={"p": Pool(capacity, sum(running))})
        let_go = line[: round_.free_of("pool:p")]
        for size in let_go:
            if round_.refusal(wish(pool="p", slots=size)) is None:
                assert size == line[0]
                round_.take(wish(pool="p", slots=size))
                running.append(line.pop(0))
        running = running[1:]
    assert line == []


def test_wish_is_what_the_job_says_with_the_values_of_the_run() -> None:
    rate = {"limit": 10, "seconds": 60.0, "key": "shop-{tenant}"}
    definition = job(mutex="t-{tenant}", pool="db", slots=2, rate=rate)
    made = wish_of(definition, {"tenant": "b"}, "etl", NOW)
    assert made == Wish("etl", NOW, "t-b", "db", 2, RateWish("shop-b", 10, 60.0))
    assert wish_of(definition, None, "etl", NOW).mutex == "t-a"


def test_rate_without_a_key_is_the_jobs_own() -> None:
    made = wish_of(job(rate={"limit": 1, "seconds": 1.0}), None, "etl", NOW)
    assert made.rate == RateWish(own_rate("load"), 1, 1.0)
    assert Hold.read(made.rate.held_by).name == "job:load"


def test_wish_of_a_job_without_limits_is_its_queue() -> None:
    assert wish_of(job(), {"tenant": "b"}, "etl", NOW) == Wish("etl", NOW)


def test_takes_are_what_is_given_back_at_the_end() -> None:
    assert takes_of(wish(rate=TEN_A_MINUTE)) is None
    assert takes_of(wish(mutex="a")) == {"mutex": "a"}
    assert takes_of(wish(mutex="a", pool="db", slots=2)) == {"mutex": "a", "pool": "db", "slots": 2}
