"""Moments, lengths and parameters as people write them."""

from datetime import UTC, datetime
from typing import Any

import click
import pytest

from cronzimus.cli.values import (
    Duration,
    KeyValue,
    Label,
    Rate,
    is_job_id,
    iso,
    json_or_text,
    moment,
    optional_moment,
    zone_named,
)
from cronzimus.errors import Invalid
from cronzimus.models.job import SLUG

NOW = datetime(2026, 3, 29, 12, 30, 15, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("now", "UTC", "2026-03-29T12:30:15Z"),
        ("NOW", "UTC", "2026-03-29T12:30:15Z"),
        ("-5m", "UTC", "2026-03-29T12:25:15Z"),
        ("- 1h30m", "UTC", "2026-03-29T11:00:15Z"),
        ("+90", "UTC", "2026-03-29T12:31:45Z"),
        ("-1d", "Europe/Berlin", "2026-03-28T12:30:15Z"),
        ("02:30", "UTC", "2026-03-29T02:30:00Z"),
        ("2:30", "UTC", "2026-03-29T02:30:00Z"),
        ("02:30:45", "Europe/Berlin", "2026-03-29T01:30:45Z"),
        ("14:00", "Europe/Berlin", "2026-03-29T12:00:00Z"),
        ("23:00", "Asia/Tokyo", "2026-03-29T14:00:00Z"),
        ("2026-03-01T12:00:00Z", "Europe/Berlin", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.25+02:00", "UTC", "2026-03-01T10:00:00.250000Z"),
        ("2026-03-01T12:00", "Europe/Berlin", "2026-03-01T11:00:00Z"),
        ("2026-03-01", "America/New_York", "2026-03-01T05:00:00Z"),
        (" 2026-03-01 12:00 ", "UTC", "2026-03-01T12:00:00Z"),
    ],
)
def test_moment(text: str, zone: str, expected: str) -> None:
    assert iso(moment(text, zone, "--at", now=NOW)) == expected


def test_a_clock_means_today_there() -> None:
    late = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
    assert iso(moment("08:00", "Asia/Tokyo", "--at", now=late)) == "2026-03-29T23:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "25:00",
        "-5x",
        "-",
        "+",
        "2026-13-01",
        "1:2:3:4",
        "-99999999w",
        "9999-12-31T23:59-23:00",
    ],
)
def test_moment_refuses(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(text, "UTC", "--since", now=NOW)
    assert (
        refused.value.message.startswith("--since: expected now, -5m") and repr(text) in refused.value.message
    )


def test_moment_counts_from_now() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= moment("now", "UTC", "--at") <= datetime.now(UTC)


def test_optional_moment() -> None:
    assert optional_moment(None, "--since") is None
    assert optional_moment("2026-03-01", "--since") == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("../etc/passwd", "use one such as"),
        ("", "use one such as"),
    ],
)
def test_zone_named_knows_near_names(name: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        zone_named(name)
    assert refused.value.message.startswith("--timezone: unknown time zone") and hint in refused.value.message


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("1h30m", 5400), ("250ms", 0.25), ("PT5M", 300), ("7", 7), ("0", 0)]
)
def test_duration(text: str, seconds: float) -> None:
    found = Duration().convert(text, None, None)
    assert found == seconds and type(found) is type(seconds)


@pytest.mark.parametrize("text", ["", "5x", "-5s", "soon", "nan"])
def test_duration_refuses(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a duration"):
        Duration().convert(text, None, None)


def test_duration_takes_a_default() -> None:
    assert Duration().convert(5, None, None) == 5


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("n=5", ("n", 5)),
        ("s=hello", ("s", "hello")),
        ("s=", ("s", "")),
        ('s="5"', ("s", "5")),
        ("id=007", ("id", "007")),
        ("ok=true", ("ok", True)),
        ("none=null", ("none", None)),
        ("list=[1, 2]", ("list", [1, 2])),
        ("expr=a=b", ("expr", "a=b")),
        ("x=NaN", ("x", "NaN")),
        ("x=-Infinity", ("x", "-Infinity")),
        (" n =1", ("n", 1)),
    ],
)
def test_key_value(text: str, pair: tuple[str, Any]) -> None:
    assert KeyValue().convert(text, None, None) == pair


@pytest.mark.parametrize("text", ["n", "=5", " =5", ""])
def test_key_value_refuses(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected name=value"):
        KeyValue().convert(text, None, None)


def test_key_value_takes_what_it_made() -> None:
    assert KeyValue().convert(("n", 5), None, None) == ("n", 5)


def test_json_or_text_survives_depth() -> None:
    deep = "[" * 100_000
    assert json_or_text(deep) == deep


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("a", True),
        ("a-b_2", True),
        ("", False),
        ("A", False),
        ("../x", False),
        ("a" * 63, True),
        ("a" * 64, False),
        ("a\n", False),
    ],
)
def test_is_job_id(text: str, can: bool) -> None:
    assert is_job_id(text) is can


def test_job_ids_are_those_of_the_models() -> None:
    assert SLUG == r"^[a-z0-9][a-z0-9_-]{0,62}$"


def test_a_label_is_text() -> None:
    assert Label().convert("zone=1", None, None) == ("zone", "1")
    assert Label().convert("note=a=b", None, None) == ("note", "a=b")


@pytest.mark.parametrize("text", ["zone", "=1", ""])
def test_a_label_has_a_name_and_a_value(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected name=value"):
        Label().convert(text, None, None)


def test_a_rate_is_starts_in_a_stretch() -> None:
    assert Rate().convert("10/1m", None, None) == {"limit": 10, "seconds": 60}


@pytest.mark.parametrize("text", ["10", "ten/1m", "/1m", "10/", "10/soon"])
def test_a_rate_says_how_it_is_written(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Rate().convert(text, None, None)
