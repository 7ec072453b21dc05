"""One cron field: what it holds, what it refuses and in which words, and where `H` lands."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronzimus.models.cron_field import (
    KINDS,
    LAST,
    LAST_WORKDAY,
    NEAREST_WORKDAY,
    CronError,
    check_text,
    plain_text,
    read_field,
    read_years,
)
from tests.models import oracle


def read(name: str, text: str, salt: str | None = None) -> set[object]:
    """The values of a field."""
    return set(read_field(name, text, salt))


def years(text: str) -> list[int]:
    """The years of a year field."""
    bits = read_years(text)
    return [year for year in range(10_000) if bits >> year & 1]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("second", "0", {0}),
        ("minute", "*/20", {0, 20, 40}),
        ("minute", "5/20", {5, 25, 45}),
        ("minute", "10-20/5", {10, 15, 20}),
        ("minute", "1,3-4", {1, 3, 4}),
        ("minute", "*/60", {0}),
        ("hour", "22-23,0-1", {22, 23, 0, 1}),
        ("minute", "5-5/10", {5}),
        ("minute", "05-5/10", {5}),
        ("month", "MAY-MAY/2", {5}),
        ("hour", "07", {7}),
        ("day", "31", {31}),
        ("day", "L", {LAST}),
        ("day", "LW", {LAST_WORKDAY}),
        ("day", "15W", {(15, NEAREST_WORKDAY)}),
        ("day", "1W,20", {(1, NEAREST_WORKDAY), 20}),
        ("month", "JAN-MAR", {1, 2, 3}),
        ("month", "DEC", {12}),
        ("month", "*/5", {1, 6, 11}),
        ("day_of_week", "0", {0}),
        ("day_of_week", "7", {0}),
        ("day_of_week", "1-5", {1, 2, 3, 4, 5}),
        ("day_of_week", "MON-FRI", {1, 2, 3, 4, 5}),
        ("day_of_week", "5-7", {5, 6, 0}),
        ("day_of_week", "FRI-SUN", {5, 6, 0}),
        ("day_of_week", "SUN-TUE", {0, 1, 2}),
        ("day_of_week", "SUN-SUN", {0}),
        ("day_of_week", "5L", {(5, LAST)}),
        ("day_of_week", "FRIL", {(5, LAST)}),
        ("day_of_week", "7L", {(0, LAST)}),
        ("day_of_week", "2#2", {(2, 2)}),
        ("day_of_week", "TUE#2", {(2, 2)}),
        ("day_of_week", "7#5", {(0, 5)}),
        ("day_of_week", "*", set(range(7))),
        ("week", "*/26", {1, 27, 53}),
        ("week", "5", {5}),
        ("week", "50/1", {50, 51, 52, 53}),
    ],
)
def test_read_field_knows_every_form(name: str, text: str, values: set[object]) -> None:
    assert read(name, text) == values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", [2026]),
        ("2026,2028-2030", [2026, 2028, 2029, 2030]),
        ("2026-2034/4", [2026, 2030, 2034]),
        ("9995/2", [9995, 9997, 9999]),
    ],
)
def test_read_years_gives_bits(text: str, expected: list[int]) -> None:
    assert years(text) == expected


def test_read_years_spans_all_of_them() -> None:
    assert years("*") == list(range(1970, 10_000))


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("minute", "60", "minute takes 0-59"),
        ("second", "61", "second takes 0-59"),
        ("hour", "24", "hour takes 0-23"),
        ("hour", "-1", "'-1'"),
        ("day", "0", "day takes 1-31"),
        ("day", "32", "day takes 1-31"),
        ("day", "32W", "day takes 1-31"),
        ("day", "W", "15W"),
        ("day", "L-3", "'L-3'"),
        ("day", "L/5", "'L/5'"),
        ("month", "13", "month takes 1-12"),
        ("month", "JANUARY", "JAN-DEC"),
        ("day_of_week", "8", "0 and 7 are Sunday"),
        ("day_of_week", "L", "5L"),
        ("day_of_week", "2#6", "2#2"),
        ("day_of_week", "2#0", "2#2"),
        ("day_of_week", "MO", "SUN-SAT"),
        ("week", "54", "week takes 1-53"),
        ("week", "0", "week takes 1-53"),
        ("week", "H", "'H'"),
        ("week", "5-3", "write 5-53,1-3"),
        ("week", "*/0", "'*/0'"),
        ("minute", "*/0", "'*/0'"),
        ("minute", "1,,2", "''"),
        ("minute", "1-", "'1-'"),
        ("minute", "1/2/3", "'1/2/3'"),
        ("minute", "A", "'A'"),
        ("minute", "1.5", "'1.5'"),
        ("hour", "22-2", "write 22-23,0-2"),
        ("day_of_week", "5-1", "write 5-7,0-1"),
        ("day", "?", "write * instead of ?"),
        ("minute", "H(5-70)", "minute takes 0-59"),
        ("minute", "H(30-10)", "minute takes 0-59"),
        ("minute", "H/0", "'H/0'"),
        ("minute", "HH", "'HH'"),
        ("minute", "*/61", "longer than the field (0-59)"),
        ("minute", "*/99999999999", "longer than the field (0-59)"),
        ("week", "*/999", "longer than the field (1-53)"),
    ],
)
def test_read_field_refuses_and_says_what_is_right(name: str, text: str, hint: str) -> None:
    with pytest.raises(CronError) as caught:
        read(name, text)
    assert str(caught.value).startswith(f"{name}: ")
    assert hint in str(caught.value)
    assert caught.value.field == name


@pytest.mark.parametrize("text", ["1969", "10000", "2030-2026", "H", "2026/0", "x", "20260", ""])
def test_read_years_refuses(text: str) -> None:
    with pytest.raises(CronError, match="^year: .*1970-9999"):
        read_years(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("1" * 257, "257 characters"),
        ("५", "ASCII"),
        ("1\n2", "ASCII"),
        ("\0", "ASCII"),
    ],
)
def test_check_text_refuses(text: str, reason: str) -> None:
    with pytest.raises(CronError, match=reason):
        check_text("minute", text)


def test_check_text_gives_capitals() -> None:
    assert check_text("day_of_week", "\tmon-fri ") == "MON-FRI"


def test_spread_is_the_same_for_a_job_and_another_for_the_next() -> None:
    assert read("minute", "H", "a") == read("minute", "H", "a")
    places = Counter(next(iter(read("minute", "H", f"job-{n}"))) for n in range(3000))
    assert set(places) == set(range(60))
    assert max(places.values()) < 100


def test_spread_differs_between_fields() -> None:
    pairs = {
        (plain_text("minute", "H", f"job-{n}"), plain_text("second", "H", f"job-{n}")) for n in range(200)
    }
    assert any(minute != second for minute, second in pairs)


def test_spread_of_a_known_job_never_changes() -> None:
    # Were the hash to change, every job with an H would move on the day of the upgrade.
    placed = {
        name: plain_text(name, "H", "enrich-orders") for name in ("second", "minute", "hour", "day", "month")
    }
    assert placed == {"second": "35", "minute": "23", "hour": "23", "day": "12", "month": "7"}
    assert plain_text("minute", "H/15", "enrich-orders") == "8-59/15"


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("second", 0, 59),
        ("minute", 0, 59),
        ("hour", 0, 23),
        ("day", 1, 28),
        ("month", 1, 12),
        ("day_of_week", 0, 6),
    ],
)
def test_spread_stays_in_its_field(name: str, low: int, high: int) -> None:
    taken = {int(plain_text(name, "H", f"job-{n}")) for n in range(600)}
    assert taken == set(range(low, high + 1))


def test_spread_with_a_step_keeps_the_step() -> None:
    for n in range(50):
        found = sorted(int(str(value)) for value in read("minute", "H/15", f"job-{n}"))
        assert len(found) == 4
        assert {later - first for first, later in zip(found, found[1:], strict=False)} == {15}


def test_spread_stays_in_its_range() -> None:
    taken = {value for n in range(300) for value in read("minute", "H(10-14)", f"job-{n}")}
    assert taken == {10, 11, 12, 13, 14}
    stepped = {value for n in range(300) for value in read("minute", "H(0-29)/10", f"job-{n}")}
    assert stepped == set(range(30))


def test_spread_of_which_one_value_is_left_does_not_run_on() -> None:
    found = [read("minute", "H(10-14)/5", f"job-{n}") for n in range(60)]
    assert all(len(values) == 1 for values in found)


def test_spread_without_a_job_is_the_whole_range() -> None:
    assert read("minute", "H(10-14)/2") == {10, 11, 12, 13, 14}
    assert read("day", "H") == set(range(1, 29))


def test_spread_refuses_a_step_longer_than_its_range() -> None:
    with pytest.raises(CronError, match="longer than the range 0-9"):
        read("minute", "H(0-9)/11", "job")


def test_plain_text_is_what_cronsim_reads() -> None:
    assert plain_text("day_of_week", "FRIL,SAT-SUN,MON", None) == "5L,SAT-7,MON"
    assert plain_text("day", "15W,L", None) == "15W,L"


NUMERIC = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "week": (1, 53),
}


@st.composite
def numeric_fields(draw: st.DrawFn) -> tuple[str, str]:
    """A field name and a list of numbers, ranges and steps that are right for it."""
    name = draw(st.sampled_from(sorted(NUMERIC)))
    low, high = NUMERIC[name]
    terms = []
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        span = draw(st.sampled_from(["*", str(first), f"{first}-{last}"]))
        terms.append(span + draw(st.sampled_from(["", f"/{draw(st.integers(1, high - low + 1))}"])))
    return name, ",".join(terms)


@settings(deadline=None, max_examples=300)
@given(numeric_fields())
def test_read_field_agrees_with_the_oracle(drawn: tuple[str, str]) -> None:
    name, text = drawn
    low, high = NUMERIC[name]
    assert read(name, text) == {n for n in range(low, high + 1) if oracle.numbers(text, n, high, low)}


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(sorted(KINDS)), st.text("0123456789*/-,#LWHMONSUJA()?. ", max_size=24))
def test_read_field_never_breaks(name: str, text: str) -> None:
    try:
        values = {n for n in years(text)} if name == "year" else read(name, text, "job")
    except CronError as refused:
        assert refused.field == name
    else:
        assert values
