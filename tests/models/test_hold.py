import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.models.hold import Hold, halted, words

NAMES = st.text(min_size=1, max_size=40)


@given(st.sampled_from(["queue", "mutex", "pool", "worker", "job"]), NAMES)
def test_hold_is_read_as_it_was_written(kind: str, name: str) -> None:
    assert Hold.read(str(Hold(kind, name))) == Hold(kind, name)


@given(NAMES, st.integers(1, 1_000_000), st.floats(min_value=1e-6, max_value=86_400))
def test_rate_keeps_its_numbers_whatever_its_key_is(key: str, limit: int, seconds: float) -> None:
    assert Hold.read(str(Hold("rate", key, limit, seconds))) == Hold("rate", key, limit, seconds)


@given(NAMES, st.integers(1, 10_000))
def test_slots_keep_their_number(pool: str, slots: int) -> None:
    assert Hold.read(str(Hold("slots", pool, slots))) == Hold("slots", pool, slots)


@pytest.mark.parametrize(
    ("held_by", "said"),
    [
        ("queue:reports", "queue reports lets nothing start"),
        ("mutex:tenant-7", "another run holds the mutex tenant-7"),
        ("mutex:a:b/c", "another run holds the mutex a:b/c"),
        ("pool:db", "the pool db has no free slot for it"),
        ("slots:5/db", "the pool db is not there or never has the slots it wants (5)"),
        ("rate:10/60/shop", "its rate (10 in 60 s) is used up"),
        ("rate:1/0.5/a/b", "its rate (1 in 0.5 s) is used up"),
        ("job:load", "waits for job load"),
        ("moon", "waits for moon"),
        (
            'worker:{"kind":"shell","queue":"etl","labels":{"gpu":"yes"},"worker":null}',
            "no live worker that may take it has room: kind shell, queue etl, label gpu=yes",
        ),
        ("worker:anybody", "no live worker that may take it has room: anybody"),
        ("worker:[1]", "no live worker that may take it has room: [1]"),
    ],
)
def test_words_need_nothing_but_the_text(held_by: str, said: str) -> None:
    assert words(held_by) == said


@pytest.mark.parametrize(
    ("pools", "said"),
    [
        ({}, "there is no pool db"),
        ({"db": 3}, "it wants 5 slots, the pool db has 3"),
        ({"db": 0}, "the pool db is closed: it has no slots"),
    ],
)
def test_words_about_a_pool_are_exact_when_its_size_is_known(pools: dict[str, int], said: str) -> None:
    assert words("slots:5/db", pools=pools) == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("paused", "queue etl is paused"),
        ("draining", "queue etl is being drained: what came later waits until it is resumed"),
    ],
)
def test_halted_queue_is_told_by_its_status(status: str, said: str) -> None:
    assert halted("etl", status) == words("queue:etl", queues={"etl": status}) == said
