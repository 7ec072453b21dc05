"""Calendars in the database: versions, what includes what, and the jobs that keep to them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid, NotFound, Unavailable
from cronzimus.models.calendar import Calendar
from cronzimus.models.job import Source
from cronzimus.services.audit import Audit
from cronzimus.services.calendars import Calendars
from tests.heart import Heart, definition

CRON = {"type": "cron", "expression": "0 9 * * *"}
DAY = date(2030, 5, 4)


def calendar(calendar_id: str = "ours", **fields: Any) -> Calendar:
    return Calendar.model_validate({"id": calendar_id, **fields})


@pytest.fixture
def calendars(heart: Heart) -> Calendars:
    """The calendars of a house that leads."""
    return Calendars(heart.database, heart.timetable)


def test_calendar_is_kept_with_its_days(calendars: Calendars) -> None:
    stored = calendars.add(
        calendar(days=[{"on": "2030-05-04", "name": "Star Wars"}], timezone="Asia/Tokyo"), by="ann"
    )
    assert (stored.id, stored.version, stored.trouble) == ("ours", 1, None)
    days = calendars.days("ours")
    assert (days.name_of(DAY), days.calendar, days.timezone) == ("Star Wars", "ours", "Asia/Tokyo")
    assert [one.id for one in calendars.list().items] == ["ours"]


def test_names_are_given_once(calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    with pytest.raises(Conflict) as caught:
        calendars.add(calendar(), by="ann")
    assert caught.value.code == "CALENDAR_EXISTS"
    for unknown in (
        lambda: calendars.get("no"),
        lambda: calendars.remove("no", by="a"),
        lambda: calendars.days("no"),
    ):
        with pytest.raises(NotFound):
            unknown()


def test_version_grows_only_with_the_days(calendars: Calendars) -> None:
    calendars.add(calendar(days=["12-24"]), by="ann")
    assert calendars.replace(calendar(days=["12-24"], description="ours"), by="ann").version == 1
    assert calendars.replace(calendar(days=["12-24", "12-31"]), by="ann").version == 2
    assert calendars.replace(calendar(days=["12-24", "12-31"], timezone="UTC"), by="ann").version == 3
    tag = calendars.get("ours").tag
    calendars.replace(calendar(description="seen"), by="ann", expected_tag=tag)
    with pytest.raises(Conflict, match="changed meanwhile"):
        calendars.replace(calendar(), by="ann", expected_tag=tag)


def test_a_calendar_that_comes_back_goes_on_counting(calendars: Calendars) -> None:
    calendars.add(calendar(days=["12-24"]), by="ann")
    calendars.remove("ours", by="ann")
    assert calendars.add(calendar(days=["12-25"]), by="ann").version == 2


def test_what_is_included_is_off_too_and_changes_with_it(calendars: Calendars) -> None:
    calendars.add(calendar("world", days=["01-01"]), by="ann")
    calendars.add(calendar("land", days=["10-03"], includes=["world"]), by="ann")
    calendars.add(calendar("firm", weekdays=["sun"], includes=["land"]), by="ann")
    calendars.replace(calendar("world", days=["01-01", "2030-05-04"]), by="ann")
    assert [calendars.get(name).version for name in ("world", "land", "firm")] == [2, 2, 2]
    days = calendars.days("firm")
    assert all(days.name_of(day) for day in (DAY, date(2031, 1, 1), date(2031, 10, 3), date(2026, 11, 22)))
    calendars.replace(calendar("firm", weekdays=["sun", "sat"], includes=["land"]), by="ann")
    assert [calendars.get(name).version for name in ("world", "land", "firm")] == [2, 2, 3]


@pytest.mark.parametrize(
    ("includes", "said"),
    [(["no"], "there is no"), (["b"], "includes this one"), (["a"], "includes this one")],
)
def test_includes_that_cannot_be_are_refused(calendars: Calendars, includes: list[str], said: str) -> None:
    calendars.add(calendar("a"), by="ann")
    calendars.add(calendar("b", includes=["a"]), by="ann")
    with pytest.raises(Invalid, match=said) as caught:
        calendars.replace(calendar("a", includes=includes), by="ann")
    assert caught.value.faults[0].field == "includes.0"
    assert calendars.get("a").document["includes"] == []


def test_calendar_in_use_stays(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    calendars.add(calendar("more", includes=["ours"]), by="ann")
    heart.add("nightly", trigger=CRON, calendar="ours")
    with pytest.raises(Conflict, match="used by job nightly, calendar more") as caught:
        calendars.remove("ours", by="ann")
    assert caught.value.code == "CALENDAR_IN_USE"
    heart.timetable.remove("nightly", by="ann")
    calendars.remove("more", by="ann")
    calendars.remove("ours", by="ann")
    assert calendars.list().total == 0


def test_job_with_an_unknown_calendar_is_refused_with_the_nearest_name(
    heart: Heart, calendars: Calendars
) -> None:
    calendars.add(calendar("de-be"), by="ann")
    with pytest.raises(Invalid, match="did you mean 'de-be'") as caught:
        heart.add(trigger=CRON, calendar="de-bw")
    assert (caught.value.code, caught.value.faults[0].field) == ("UNKNOWN_CALENDAR", "calendar")
    with pytest.raises(NotFound):
        heart.timetable.get("a")


def test_changed_days_become_a_new_version_of_each_job(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(days=["2030-05-04"]), by="ann")
    heart.add(trigger={"type": "cron", "expression": "0 9 4 5 *"}, calendar="ours", business_day="next")
    heart.add("other", trigger=CRON)
    before = heart.definitions.get("a", 1).schedule
    calendars.replace(calendar(days=["2030-05-04", "2030-05-05"]), by="ann")
    assert (heart.timetable.get("a").version, heart.timetable.get("other").version) == (2, 1)
    after = heart.definitions.get("a", 2).schedule
    due = datetime(2030, 5, 4, 9, tzinfo=UTC)
    assert before.moved_to(due) == datetime(2030, 5, 5, 9, tzinfo=UTC)
    assert after.moved_to(due) == datetime(2030, 5, 6, 9, tzinfo=UTC)
    versions = heart.history.versions("a")
    assert [version.operation for version in versions] == ["create", "calendar"]
    assert versions[0].definition == versions[1].definition


def test_next_instant_moves_with_the_days(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    trigger = {"type": "date", "run_date": "2030-05-04T09:00Z"}
    heart.add(trigger=trigger, calendar="ours", business_day="previous")
    calendars.replace(calendar(days=["2030-05-03..2030-05-05"]), by="ann")
    assert heart.timetable.get("a").next_due_at == datetime(2030, 5, 2, 9, tzinfo=UTC)
    calendars.replace(calendar(), by="ann")
    assert heart.timetable.get("a").next_due_at == datetime(2030, 5, 4, 9, tzinfo=UTC)


def test_job_that_is_due_takes_the_days_up_after_it_was_decided(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    heart.add(trigger={"type": "cron", "expression": "0 0 1 1 *"}, calendar="ours")
    due_at = heart.make_due("a", "date_trunc('day', clock_timestamp())")
    calendars.replace(calendar(days=[due_at.date().isoformat()]), by="ann")
    assert heart.timetable.get("a").version == 1
    heart.fire()
    (row,) = heart.history.firings(job_id="a").items
    assert row.decision == "missed" or row.decision == "fired"  # by how late it is, never by the new days
    assert calendars.take_up(by="upkeep") == 1 and calendars.take_up(by="upkeep") == 0
    assert heart.timetable.get("a").version == 2


def test_paused_job_stays_paused(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    heart.add(trigger=CRON, calendar="ours")
    heart.timetable.pause("a", by="ann")
    calendars.replace(calendar(days=["12-24"]), by="ann")
    assert (heart.timetable.get("a").status, heart.timetable.get("a").version) == ("paused", 2)


def test_refresh_makes_a_version_only_when_days_changed(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(countries=[{"country": "DE"}]), by="ann")
    assert calendars.refresh("ours", by="upkeep").version == 1
    heart.database.execute(
        """UPDATE cronzimus.calendars SET own = '{"dates": {}, "yearly": {}, "weekdays": []}'"""
    )
    heart.database.execute(
        """UPDATE cronzimus.calendar_versions SET days = '{"dates": {}, "yearly": {}, "weekdays": []}'"""
    )
    assert calendars.refresh("ours", by="upkeep").version == 2
    assert calendars.days("ours").name_of(date(2026, 12, 25))


def test_source_that_fails_keeps_the_days_and_is_told(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(days=["12-24"]), by="ann")
    url = "http://127.0.0.1:1/cal.ics"
    heart.database.execute(
        "UPDATE cronzimus.calendars SET document = jsonb_set(document, '{ics}', %s)",
        [f'{{"url": "{url}", "text": null}}'],
    )
    with pytest.raises(Unavailable):
        calendars.refresh("ours", by="upkeep")
    assert "cannot be fetched" in str(calendars.get("ours").trouble)
    assert calendars.days("ours").name_of(date(2026, 12, 24))


def test_sources_are_stale_after_a_day(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar("land", countries=[{"country": "DE"}]), by="ann")
    calendars.add(calendar("own", days=["12-24"]), by="ann")
    assert calendars.stale() == ()
    heart.database.execute(
        "UPDATE cronzimus.calendars SET refreshed_at = clock_timestamp() - interval '25 hours'"
    )
    assert calendars.stale() == ("land",)


def test_changes_are_recorded(heart: Heart, calendars: Calendars) -> None:
    calendars.add(calendar(), by="ann")
    calendars.replace(calendar(days=["12-24"]), by="ann")
    calendars.remove("ours", by="ann")
    actions = [event.action for event in Audit(heart.database).list(target="calendar/ours").items]
    assert actions == ["calendar.delete", "calendar.replace", "calendar.create"]


def test_declared_job_waits_for_its_calendar(heart: Heart, calendars: Calendars) -> None:
    declared = [
        (definition("early", trigger=CRON, calendar="ours"), Source.FILE),
        (definition("plain", trigger=CRON), Source.FILE),
    ]
    heart.timetable.synchronise(declared)
    assert [job.id for job in heart.timetable.list().items] == ["plain"]
    calendars.add(calendar(), by="ann")
    heart.timetable.synchronise(declared)
    assert [job.id for job in heart.timetable.list().items] == ["early", "plain"]
    heart.timetable.synchronise(declared)
    assert heart.timetable.get("early").version == 1
