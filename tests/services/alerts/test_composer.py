"""A message says what, which job, when, why, since when, and what one can do; and no secret."""

from datetime import UTC, datetime

from cronzimus.common.masking import register_secret
from cronzimus.models.alert_message import Message
from cronzimus.models.run import RunState
from cronzimus.services.alerts.composer import zone_of
from tests.heart import Heart
from tests.services.alerts.support import Desk, by_hand, ended, fired


def message(desk: Desk, kind: str = "raised") -> Message:
    """The message of that kind, put together anew."""
    notification = next(one for one in desk.courier.list().items if one.kind == kind)
    return desk.composer.compose(notification, desk.alerts.get(desk.alert_id()))


def test_a_missed_start_is_told_with_its_reason(heart: Heart, desk: Desk) -> None:
    heart.add("nightly", trigger={"type": "cron", "expression": "0 3 * * *", "timezone": "Asia/Kathmandu"})
    ended(heart, job_id="nightly")
    heart.timetable.pause("nightly", by="ana")
    heart.make_due("nightly", "'2026-11-20 21:15:00+00'")
    fired(heart)
    desk.rule({"not_started": {"within": "5m"}}, severity="critical")
    desk.move("runs", "queued_at", "'2026-11-01 00:00:00+00'")
    desk.look()
    told = message(desk)
    facts = dict(map(tuple, told.facts))
    assert told.title == (
        "[Cronzimus] nightly did not start within 5 min of 2026-11-20 21:15:00 UTC: the job is paused"
    )
    assert facts["rule"] == "rule (not_started, critical)"
    assert facts["due"] == "2026-11-21 03:00:00 Asia/Kathmandu (2026-11-20 21:15:00 UTC)"
    assert "skipped (paused): the job was paused" in facts["why"]
    assert facts["last success"].endswith(" UTC")
    assert facts["to silence"] == f"cronzimus alerts silence {desk.alert_id()} --for 2h"
    assert told.url == "https://cron.example.org/jobs/nightly"


def test_a_failure_links_its_run_and_a_recovery_says_how_long_it_lasted(heart: Heart, desk: Desk) -> None:
    by_hand(heart)
    desk.rule("failure")
    run_id = ended(heart, RunState.FAILED)
    desk.look()
    assert message(desk).url == f"https://cron.example.org/runs/{run_id}"
    ended(heart)
    desk.look()
    told = message(desk, "resolved")
    assert told.title == "[Cronzimus] Recovered: a failed: no rows"
    assert "succeeded" in dict(map(tuple, told.facts))["over"] and told.data["state"] == "resolved"
    assert "to silence" not in dict(map(tuple, told.facts))


def test_no_secret_gets_out(heart: Heart, desk: Desk) -> None:
    register_secret("hunter2-of-the-database")
    by_hand(heart)
    desk.rule("failure")
    ended(heart, RunState.FAILED, message="cannot connect with hunter2-of-the-database")
    desk.look()
    told = message(desk)
    assert "hunter2-of-the-database" not in told.text + told.html + str(told.cloud_event)
    assert "cannot connect with ***" in told.title


def test_the_zone_people_think_in() -> None:
    assert zone_of({"trigger": {"timezone": "Europe/Berlin"}, "timezone": "UTC"}) == "Europe/Berlin"
    assert zone_of({"trigger": [{"timezone": None}], "timezone": "Asia/Tokyo"}) == "Asia/Tokyo"
    assert zone_of({}) == "UTC"


def test_a_test_says_that_it_is_one(desk: Desk) -> None:
    done = desk.courier.test("ops", by="ana")
    told = desk.composer.compose(done, None)
    assert told.title == "[Cronzimus] Test of channel ops" and told.kind == "test"
    assert datetime.fromisoformat(told.at).tzinfo == UTC
