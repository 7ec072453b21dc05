"""What a job waits for, as it is written."""

import pytest
from pydantic import ValidationError

from cronzimus.models.dependency import When, awaited_job, held_by, name_of_input
from cronzimus.models.hold import Hold
from cronzimus.models.job import JobDefinition
from tests.heart import definition

BY_HAND = {"type": "manual"}
HOURLY = {"type": "interval", "hours": 1}


def after(*depends_on: object, **more: object) -> JobDefinition:
    return definition("d", depends_on=depends_on, **{"trigger": BY_HAND, **more})


def test_a_bare_id_wants_success() -> None:
    one, other = after("a", {"job": "b", "when": "always"}).depends_on
    assert (one.job, one.when, other.when) == ("a", When.SUCCESS, When.ALWAYS)


@pytest.mark.parametrize(
    "wanted", [["a", "a"], [{"job": "a", "when": "sometimes"}], ["No Slug"], [{"when": "always"}]]
)
def test_what_makes_no_sense_is_refused(wanted: list[object]) -> None:
    with pytest.raises(ValidationError):
        after(*wanted)


@pytest.mark.parametrize(
    ("trigger", "held"), [(BY_HAND, None), (HOURLY, "job:a"), ([BY_HAND, HOURLY], "job:a")]
)
def test_only_a_job_with_due_instants_of_its_own_waits_for_the_dispatcher(
    trigger: object, held: str | None
) -> None:
    job = after("a", "b", trigger=trigger)
    assert (job.timed, job.gated, job.held_by) == (held is not None, held is not None, held)


def test_a_job_that_depends_on_nothing_is_not_held() -> None:
    assert after(trigger=HOURLY).held_by is None and not after(trigger=HOURLY).gated


def test_a_hold_names_the_job_it_is_for() -> None:
    assert str(Hold.read(held_by("a-b"))) == held_by("a-b") == "job:a-b"
    assert awaited_job("job:a-b") == "a-b" and awaited_job("queue:a-b") is None and awaited_job(None) is None


def test_templates_have_names_without_dashes() -> None:
    assert name_of_input("load-the_day") == "load_the_day"
