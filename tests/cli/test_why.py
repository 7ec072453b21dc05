"""`cronzimus why`."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.fakes import FakeHouse, document
from tests.cli.line import Line


@pytest.fixture(autouse=True)
def hourly(house: FakeHouse, line: Line) -> None:
    """A job that exists."""
    line.out("jobs", "add", "hourly", "--every", "1h", "--func", document()["params"]["func"])


def test_one_sentence(line: Line) -> None:
    assert line.out("why", "hourly", "--at", "2026-03-01T12:00Z") == "hourly fired.\n"


def test_everything_as_json(line: Line) -> None:
    answer = line.json("why", "hourly", "--at", "2026-03-01T12:00Z")
    assert (answer["at"], answer["sentence"], answer["firing"]["epoch"]) == (
        "2026-03-01T12:00:00Z",
        "hourly fired.",
        3,
    )


def test_a_wall_clock_is_read_in_its_zone(line: Line) -> None:
    at = line.json("why", "hourly", "--at", "14:30", "--timezone", "Asia/Kolkata")["at"]
    assert at.endswith("T09:00:00Z")


@pytest.mark.parametrize(("words", "ago"), [([], 0), (["--at", "now"], 0), (["--at", "-5m"], 300)])
def test_moments_count_from_now_in_whole_seconds(words: list[str], ago: int, line: Line) -> None:
    at = datetime.fromisoformat(line.json("why", "hourly", *words)["at"])
    passed = datetime.now(UTC) - at - timedelta(seconds=ago)
    assert at.microsecond == 0 and timedelta(0) <= passed < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gone"], 1, "there is no job 'gone'"),
        (["hourly", "--at", "noon"], 2, "--at: expected now, -5m"),
        (["hourly", "--timezone", "Berlin"], 2, "unknown time zone 'Berlin'"),
        ([], 2, "missing argument 'JOB'"),
    ],
)
def test_why_refuses(words: list[str], code: int, said: str, line: Line) -> None:
    assert said in line.complaint("why", *words, code=code)
