"""One verb on many jobs."""

import pytest

from cronzimus.errors import Conflict, Invalid
from cronzimus.models.batch import BatchAction
from cronzimus.services import batch as module
from cronzimus.services.batch import Batch
from tests.heart import Heart


@pytest.fixture
def batch(heart: Heart) -> Batch:
    """Over a timetable with three jobs, two of them with a tag."""
    for name, tags in (("a", ["x"]), ("b", ["x"]), ("c", [])):
        heart.add(name, tags=tags)
    return Batch(heart.timetable, heart.runs)


def test_every_job_is_tried_and_each_refusal_is_told(heart: Heart, batch: Batch) -> None:
    heart.timetable.pause("a", by="t")
    outcomes = batch.act(BatchAction.RUN, ["a", "nobody", "b", "b"], by="t")
    assert [(item.id, item.done, item.code) for item in outcomes] == [
        ("a", False, "JOB_PAUSED"),
        ("nobody", False, "JOB_NOT_FOUND"),
        ("b", True, None),
    ]
    assert outcomes[2].run_id is not None and heart.history.run(outcomes[2].run_id).job_id == "b"
    assert batch.act(BatchAction.RUN, ["a"], by="t", force=True)[0].done


@pytest.mark.parametrize(
    ("action", "left"), [("pause", ["paused", "paused", "active"]), ("delete", ["active"])]
)
def test_what_a_filter_chooses_is_changed(heart: Heart, batch: Batch, action: str, left: list[str]) -> None:
    chosen = batch.chosen(tag="x")
    assert chosen == ("a", "b")
    assert all(item.done for item in batch.act(BatchAction(action), chosen, by="t", expected=2))
    assert [job.status for job in heart.timetable.list().items] == left
    assert all(item.done for item in batch.act(BatchAction.RESUME, ["c"], by="t"))


def test_another_number_than_expected_does_nothing(heart: Heart, batch: Batch) -> None:
    with pytest.raises(Conflict, match="2 jobs match now, not 3") as caught:
        batch.act(BatchAction.PAUSE, batch.chosen(tag="x"), by="t", expected=3)
    assert caught.value.code == "COUNT_MISMATCH"
    assert {job.status for job in heart.timetable.list().items} == {"active"}


def test_too_many_are_refused(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_JOBS", 2)
    for call in (batch.chosen, lambda: batch.act(BatchAction.PAUSE, ["a", "b", "c"], by="t")):
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code == "BATCH_TOO_LARGE"


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "a", "b"), ("c", "b", "a")])
def test_jobs_that_depend_on_each_other_are_deleted_in_any_order(
    heart: Heart, order: tuple[str, ...]
) -> None:
    by_hand = {"type": "manual"}
    heart.add("a", trigger=by_hand)
    heart.add("b", trigger=by_hand, depends_on=["a"])
    heart.add("c", trigger=by_hand, depends_on=["b"])
    outcomes = Batch(heart.timetable, heart.runs).act(BatchAction.DELETE, order, by="me")
    assert [(one.id, one.done) for one in outcomes] == [(job_id, True) for job_id in order]


def test_a_job_that_is_needed_outside_of_the_batch_stays(heart: Heart) -> None:
    heart.add("a", trigger={"type": "manual"})
    heart.add("b", trigger={"type": "manual"}, depends_on=["a"])
    (outcome,) = Batch(heart.timetable, heart.runs).act(BatchAction.DELETE, ["a"], by="me")
    assert (outcome.done, outcome.code) == (False, "JOB_IS_NEEDED")
