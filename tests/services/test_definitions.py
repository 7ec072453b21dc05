"""Definitions come from the store once, checked, and never stale."""

import pytest

from cronzimus.errors import Invalid, NotFound
from cronzimus.models.job import JobDefinition
from cronzimus.services.definitions import Definitions
from tests.heart import Heart, definition


def test_definition_comes_back_as_it_was_written(heart: Heart) -> None:
    heart.add(policy={"timeout": 3.5}, tags=["x"], timezone="Europe/Berlin")
    assert heart.definitions.get("a", 1) == definition(
        policy={"timeout": 3.5}, tags=["x"], timezone="Europe/Berlin"
    )


def test_each_version_is_its_own(heart: Heart) -> None:
    heart.add()
    heart.timetable.replace(definition(priority=7), by="t")
    assert [heart.definitions.get("a", version).priority for version in (1, 2)] == [0, 7]


def test_loaded_definition_is_not_asked_for_again(heart: Heart) -> None:
    heart.add()
    first = heart.definitions.get("a", 1)
    heart.database.execute("UPDATE cronzimus.job_versions SET definition = '{}'")
    assert heart.definitions.get("a", 1) is first


def test_unknown_version_is_not_found(heart: Heart) -> None:
    with pytest.raises(NotFound):
        heart.definitions.get("a", 1)
    assert heart.definitions.get_many([("a", 1)]) == {}


@pytest.mark.parametrize(
    "stored",
    ["{}", '{"id": "a"}', "[]", '"text"', '{"id": "a", "trigger": {"type": "cron", "expression": "x"}}'],
)
def test_what_cannot_be_a_definition_is_invalid_and_says_why(heart: Heart, stored: str) -> None:
    heart.add()
    heart.database.execute("UPDATE cronzimus.job_versions SET definition = %s::jsonb", [stored])
    with pytest.raises(Invalid, match="cannot be loaded") as caught:
        heart.definitions.get("a", 1)
    assert caught.value.code == "JOB_BROKEN"


def test_function_is_checked_once_for_each_version(heart: Heart) -> None:
    asked: list[str] = []

    def refuse(job: JobDefinition) -> None:
        asked.append(job.id)
        raise Invalid("no such function")

    heart.add()
    definitions = Definitions(heart.database, refuse)
    job = definitions.get("a", 1)
    assert definitions.trouble_with(job, 1) == definitions.trouble_with(job, 1) == "no such function"
    assert asked == ["a"]
