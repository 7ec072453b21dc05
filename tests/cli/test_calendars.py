"""`cronzimus calendars`."""

from pathlib import Path

import pytest

from tests.api.fakes import FakeHouse
from tests.api.fakes_time_off import ours
from tests.cli.line import Line


def test_calendar_is_defined_by_options(line: Line, house: FakeHouse, tmp_path: Path) -> None:
    file = tmp_path / "off.ics"
    file.write_text("BEGIN:VCALENDAR")
    said = line.out(
        *"calendars add berlin --weekday sat --weekday sun --day 12-24 --country de-BE --include ours".split(),
        *("--timezone", "Europe/Berlin", "--ics", file, "--description", "Berlin"),
    )
    assert said == "added berlin (version 1)\n"
    document = house.operating.calendars.stored["berlin"].document
    assert document["countries"] == [{"country": "DE", "subdivision": "BE"}]
    assert (document["weekdays"], document["includes"]) == (["sat", "sun"], ["ours"])
    assert document["ics"] == {"url": None, "text": "BEGIN:VCALENDAR"}
    line.out("calendars", "add", "berlin", "--replace", "--ics", "https://example.org/a.ics")
    document = house.operating.calendars.stored["berlin"].document
    assert document["ics"]["url"] == "https://example.org/a.ics" and document["weekdays"] == []


def test_calendars_come_from_a_file(line: Line, house: FakeHouse) -> None:
    given = "id: a\ndays: ['12-24']\n---\nid: b\nweekdays: [sun]\n"
    assert line.out("calendars", "add", "--file", "-", given=given).splitlines() == ["added a", "added b"]
    assert sorted(house.operating.calendars.stored) == ["a", "b"]
    complaint = line.complaint("calendars", "add", "--file", "-", given="id: c\ndays: [soon]\n", code=2)
    assert "<stdin>:2" in complaint and "is no day" in complaint


def test_lists_and_details(line: Line, house: FakeHouse) -> None:
    fields = {
        "weekdays": ["sun"],
        "countries": [{"country": "DE", "subdivision": "BE"}],
        "includes": ["world"],
    }
    house.operating.calendars.add(ours(**fields, ics={"text": "x" * 7}), by="ann")
    assert "sun; 1 own days; DE-BE; a file; all of world" in line.out("calendars", "list")
    shown = line.out("calendars", "show", "ours")
    assert "2026-12-24" in shown and "7 characters" in shown and "DE-BE" in shown
    days = line.out("calendars", "days", "ours", "--from", "2026-12-20", "--to", "2026-12-24").splitlines()
    assert [day.split()[0] for day in days] == ["DAY", "2026-12-20", "2026-12-24"]
    assert line.json("calendars", "show", "ours")["id"] == "ours"


def test_refresh_and_remove(line: Line, house: FakeHouse) -> None:
    house.operating.calendars.add(ours(), by="ann")
    house.operating.calendars.add(ours(id="used"), by="ann")
    assert line.out("calendars", "refresh", "ours") == "refreshed ours\n"
    assert line.out("calendars", "remove", "--yes", "ours") == "removed ours\n"
    assert "used by job hourly" in line.complaint("calendars", "remove", "--yes", "used", code=1)
    assert "say --yes" in line.complaint("calendars", "remove", "used", code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("calendars add", "give the ID"),
        ("calendars add ours --file x.yaml", "leave the ID"),
        ("calendars add ours --ics /nowhere.ics", "cannot be read"),
        ("calendars add ours --day soon", "is no day"),
    ],
)
def test_wrong_use_is_told(line: Line, house: FakeHouse, words: str, said: str) -> None:
    assert said in line.complaint(*words.split(), code=2)
