"""Identifiers are unique, ordered by time and proper UUIDs of version 7."""

import time
from datetime import UTC, datetime, timedelta

from cronzimus.utils.ids import first_id_at, new_id


def test_id_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert made.version == 7 and made.variant == "specified in RFC 4122"


def test_id_carries_the_millisecond_it_was_made_in() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_ids_made_from_a_moment_on_lie_above_its_first() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = new_id()
    assert first_id_at(before) < made < first_id_at(datetime.now(UTC) + timedelta(milliseconds=2))


def test_no_id_was_made_before_1970() -> None:
    assert first_id_at(datetime.min.replace(tzinfo=UTC)).int == 0
    assert first_id_at(datetime.max.replace(tzinfo=UTC)) > new_id()
