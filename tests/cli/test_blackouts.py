"""`cronzimus blackouts`."""

from tests.api.fakes import FakeHouse
from tests.api.fakes_time_off import freeze
from tests.cli.line import Line


def test_blackout_is_defined_by_options(line: Line, house: FakeHouse) -> None:
    said = line.out(
        *"blackouts add nights --start 22:00 --end 06:00 --weekday fri --timezone Europe/Berlin --hold".split(),
        *"--tag db --job nightly --reason backups".split(),
    )
    assert said == "added nights: fri 22:00 to 06:00 (Europe/Berlin), tag db, job nightly\n"
    document = house.operating.blackouts.stored["nights"].document
    assert (document["policy"], document["tags"], document["jobs"]) == ("hold", ["db"], ["nightly"])
    said = line.out(*"blackouts add nights --from 2026-12-20 --to 2027-01-02 --replace".split())
    assert said.startswith("replaced nights: 2026-12-20") and "every job" in said
    assert house.operating.blackouts.stored["nights"].document["policy"] == "skip"


def test_lists_details_and_removal(line: Line, house: FakeHouse) -> None:
    house.operating.blackouts.add(freeze(reason="year's end", tags=["db"]), by="ann")
    listed = line.out("blackouts", "list")
    assert "tag db" in listed and "year's end" in listed and "2027-01-02" in listed
    assert "skip" in line.out("blackouts", "show", "freeze")
    assert line.out("blackouts", "remove", "--yes", "freeze") == "removed freeze\n"
    assert "there is no blackout" in line.complaint("blackouts", "show", "freeze", code=1)


def test_half_a_window_is_refused(line: Line, house: FakeHouse) -> None:
    assert "needs both from and to" in line.complaint(*"blackouts add x --from 2026-12-20".split(), code=2)
    assert "give from and to" in line.complaint("blackouts", "add", "x", code=2)
