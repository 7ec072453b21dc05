"""Looking at a cycle, and trying again what went wrong in it."""

import threading

import pytest

from cronzimus.errors import Conflict, NotFound
from cronzimus.models.dependency import When
from cronzimus.models.run import RunState
from cronzimus.models.workflow import Edge, Workflow
from cronzimus.services.workflows import Workflows
from tests.heart import Heart
from tests.workflows import House

FAILED = RunState.FAILED


@pytest.fixture
def house(heart: Heart) -> House:
    """A diamond: `b` and `c` follow `a`, `d` follows both."""
    house = House(heart)
    house.add("a")
    house.add("b", "a")
    house.add("c", {"job": "a", "when": "always"})
    house.add("d", "b", "c")
    return house


@pytest.fixture
def workflows(house: House) -> Workflows:
    return Workflows(house.heart.database, house.heart.runs)


def states(workflow: Workflow) -> dict[str, str]:
    return {node.job_id: node.state for node in workflow.nodes}


def test_a_cycle_shows_what_ran_what_was_skipped_and_what_waits(house: House, workflows: Workflows) -> None:
    root = house.begin("a")
    assert states(workflows.cycle(root.trace_id)) == {
        "a": "pending",
        "b": "waiting",
        "c": "waiting",
        "d": "waiting",
    }
    house.passes(root.id)
    house.passes(house.run("b").id, FAILED)
    house.passes(house.run("c").id)
    found = workflows.cycle(root.trace_id)
    assert states(found) == {"a": "success", "b": "failed", "c": "success", "d": "skipped"}
    notes = {node.job_id: node.note for node in found.nodes}
    assert notes["b"] == "boom" and notes["d"] == "b ended failed"
    assert found.due_at == root.queued_at and found.trace_id == root.trace_id
    assert Edge("a", "c", When.ALWAYS) in found.edges and len(found.edges) == 4


def test_a_cycle_is_named_by_its_trace_or_any_run_of_it(house: House, workflows: Workflows) -> None:
    root = house.begin("a")
    house.passes(root.id)
    for name in (root.trace_id, str(root.id), str(house.run("b").id), str(house.run("c").id).upper()):
        assert workflows.cycle(name).trace_id == root.trace_id


def test_a_scheduled_run_is_found_by_its_trace(house: House, workflows: Workflows) -> None:
    house.add("t", trigger={"type": "interval", "hours": 1})
    house.heart.make_due("t")
    (offer,) = house.heart.fire()
    assert workflows.cycle(offer.run_id.hex).alone and states(workflows.cycle(offer.run_id.hex)) == {
        "t": "pending"
    }


@pytest.mark.parametrize("name", ["0" * 32, "f" * 32, "nonsense", "x" * 32])
def test_what_is_no_cycle_is_not_found(workflows: Workflows, name: str) -> None:
    for verb in (workflows.cycle, lambda one: workflows.rerun(one, by="me")):
        with pytest.raises(NotFound) as caught:
            verb(name)
        assert caught.value.code == "WORKFLOW_NOT_FOUND"


def test_a_rerun_repeats_what_went_wrong_and_the_rest_follows(house: House, workflows: Workflows) -> None:
    root = house.begin("a")
    house.passes(root.id)
    house.passes(house.run("b").id, FAILED)
    house.heart.runs.cancel(house.run("c").id, by="me")
    house.judge()
    started = workflows.rerun(root.trace_id, by="ann")
    assert sorted(run.job_id for run in started) == ["b", "c"] and {run.cause for run in started} == {"retry"}
    with pytest.raises(Conflict) as caught:
        workflows.rerun(root.trace_id, by="ann")
    assert caught.value.code == "NOTHING_TO_RERUN"
    for run in started:
        house.passes(run.id)
    assert (
        states(workflows.cycle(root.trace_id))["d"] == "pending" and house.run("d").trace_id == root.trace_id
    )


def test_two_reruns_at_one_time_repeat_each_step_once(
    house: House, workflows: Workflows, other: Heart
) -> None:
    root = house.begin("a")
    house.passes(root.id, FAILED)
    refused: list[str] = []
    gate = threading.Barrier(2)

    def rerun(one: Workflows) -> None:
        gate.wait()
        try:
            one.rerun(root.trace_id, by="me")
        except Conflict as error:
            refused.append(error.code)

    both = (workflows, Workflows(other.database, other.runs))
    threads = [threading.Thread(target=rerun, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(house.runs("a")) == 2 and refused == ["NOTHING_TO_RERUN"]


def test_a_job_with_its_own_instants_shows_what_it_was_given(house: House, workflows: Workflows) -> None:
    house.add("t", "a", trigger={"type": "interval", "hours": 1})
    due_at = house.heart.make_due("t")
    house.heart.fire()
    held = house.run("t")
    assert {node.job_id: (node.state, node.note) for node in workflows.cycle(held.trace_id).nodes} == {
        "a": ("waiting", None),
        "t": ("pending", "waits for a"),
    }
    house.passes(house.heart.runs.trigger("a", as_of=due_at, by="me").id)
    assert states(workflows.cycle(held.trace_id)) == {"a": "success", "t": "pending"}


def test_the_graph_around_a_job_goes_up_and_down(house: House, workflows: Workflows) -> None:
    house.add("e", "c")
    house.heart.timetable.pause("a", by="me")
    found = workflows.around("b")
    assert states(found) == {"a": "paused", "b": "active", "d": "active"}
    assert found.edges == (Edge("a", "b", When.SUCCESS), Edge("b", "d", When.SUCCESS))
    house.add("lonely")
    assert workflows.around("lonely").alone and not found.alone
