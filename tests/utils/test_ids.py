"""Identifiers are unique, ordered by time and proper UUIDs of version 7."""

import time

from cronzimus.utils.ids import new_id


def test_id_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert made.version == 7 and made.variant == "specified in RFC 4122"


def test_id_carries_the_millisecond_it_was_made_in() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
