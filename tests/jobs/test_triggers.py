"""A definition in the shape of an APScheduler trigger."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronzimus.jobs.triggers import DefinitionTrigger
from tests.heart import definition

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def test_first_instant_may_be_now() -> None:
    trigger = DefinitionTrigger(definition())
    assert trigger.get_next_fire_time(None, NOW) == NOW


def test_following_instant_comes_from_the_previous_one() -> None:
    trigger = DefinitionTrigger(definition())
    assert trigger.get_next_fire_time(NOW, NOW + timedelta(hours=1)) == NOW + timedelta(seconds=1)


def test_answer_is_given_in_the_clock_of_the_question() -> None:
    trigger = DefinitionTrigger(definition(trigger={"type": "cron", "expression": "0 3 * * *"}))
    berlin = trigger.get_next_fire_time(None, NOW.astimezone(ZoneInfo("Europe/Berlin")))
    assert (
        berlin is not None
        and berlin.utcoffset() == timedelta(hours=1)
        and berlin == NOW.replace(day=22, hour=3)
    )


def test_job_that_runs_by_hand_has_no_next_instant() -> None:
    assert DefinitionTrigger(definition(trigger={"type": "manual"})).get_next_fire_time(None, NOW) is None


def test_trigger_says_its_kinds() -> None:
    both = definition(trigger=[{"type": "manual"}, {"type": "interval", "seconds": 5}])
    assert str(DefinitionTrigger(both)) == "manual, interval"
