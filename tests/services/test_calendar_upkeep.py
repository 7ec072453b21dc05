"""The leader's part in calendars: what a crash left is finished, sources are read again, failures stay local."""

import time

import pytest

from cronzimus.models.calendar import Calendar
from cronzimus.models.leader import Term
from cronzimus.services.calendar_upkeep import CalendarUpkeep
from cronzimus.services.calendars import Calendars
from tests.heart import Heart


class Leading:
    """A leader's upkeep that can lose its term."""

    def __init__(self, heart: Heart) -> None:
        self.term: Term | None = heart.leadership.term
        self.calendars = Calendars(heart.database, heart.timetable)
        self.upkeep = CalendarUpkeep(self.calendars, lambda: self.term)


@pytest.fixture
def leading(heart: Heart) -> Leading:
    return Leading(heart)


def test_jobs_that_were_left_behind_take_their_calendar_up(heart: Heart, leading: Leading) -> None:
    leading.calendars.add(Calendar.model_validate({"id": "ours"}), by="ann")
    heart.add(trigger={"type": "cron", "expression": "0 9 * * *"}, calendar="ours")
    heart.database.execute(
        "INSERT INTO cronzimus.calendar_versions (calendar_id, version, days, changed_by)"
        """ VALUES ('ours', 2, '{"dates": {}, "yearly": {"12-24": "x"}, "weekdays": []}', 'ann')"""
    )
    heart.database.execute("UPDATE cronzimus.calendars SET version = 2")
    leading.term, term = None, leading.term
    leading.upkeep.step()
    assert heart.timetable.get("a").version == 1
    leading.term = term
    assert leading.upkeep.step() == 1.0
    assert heart.timetable.get("a").version == 2
    assert heart.history.versions("a")[-1].changed_by == "calendar"


def test_stale_sources_are_read_and_one_that_fails_holds_up_no_other(heart: Heart, leading: Leading) -> None:
    leading.calendars.add(Calendar.model_validate({"id": "a-web"}), by="ann")
    leading.calendars.add(Calendar.model_validate({"id": "land", "countries": [{"country": "DE"}]}), by="ann")
    heart.database.execute(
        "UPDATE cronzimus.calendars SET refreshed_at = clock_timestamp() - interval '2 days', document = CASE id"
        """ WHEN 'a-web' THEN jsonb_set(document, '{ics}', '{"url": "http://127.0.0.1:1/x", "text": null}')"""
        " ELSE document END"
    )
    leading.upkeep.step()
    assert leading.calendars.get("a-web").trouble and not leading.calendars.get("land").trouble
    assert leading.calendars.stale() == ()
    heart.database.execute(
        "UPDATE cronzimus.calendars SET refreshed_at = clock_timestamp() - interval '2 hours'"
    )
    assert leading.calendars.stale() == ("a-web",)
    refreshed_at = leading.calendars.get("a-web").refreshed_at
    leading.upkeep.step()
    assert leading.calendars.get("a-web").refreshed_at == refreshed_at
    leading.upkeep._refreshed_at = time.monotonic() - 601
    leading.upkeep.step()
    assert leading.calendars.get("a-web").refreshed_at > refreshed_at
