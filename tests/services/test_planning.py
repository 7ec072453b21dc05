"""Plans: what is said to come, what apply makes, and what a stale plan is told."""

from datetime import timedelta
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid
from cronzimus.models.job import Source
from cronzimus.models.plan import Action, Move, TimetablePlan, Wanted
from cronzimus.services.audit import Audit
from cronzimus.services.planning import Planner
from tests.heart import Heart, definition

DAILY = {"type": "cron", "expression": "0 2 * * *"}
LATER = {"type": "cron", "expression": "0 3 * * *"}


@pytest.fixture
def planner(heart: Heart) -> Planner:
    return Planner(heart.database, heart.definitions, heart.timetable, Audit(heart.database))


def wanted(job_id: str = "a", paused: bool | None = None, **more: Any) -> Wanted:
    return Wanted(definition(job_id, **more), paused)


def actions(plan: TimetablePlan) -> dict[str, str]:
    return {job.id: str(job.action) for job in plan.jobs}


def test_every_job_gets_what_is_to_become_of_it(heart: Heart, planner: Planner) -> None:
    heart.add("same", trigger=DAILY)
    heart.add("other", trigger=DAILY)
    heart.add("left", trigger=DAILY)
    plan = planner.plan([wanted("same", trigger=DAILY), wanted("other", trigger=LATER), wanted("fresh")])
    assert actions(plan) == {"same": "unchanged", "other": "change", "fresh": "create"}
    assert plan.unlisted == ("left",)
    assert plan.summary == {"create": 1, "change": 1, "remove": 0, "unchanged": 1}
    (change,) = plan.jobs[1].fields
    assert (change.field, change.before, change.after) == ("trigger.expression", "0 2 * * *", "0 3 * * *")
    assert plan.jobs[0].firings == ()


def test_firings_move_by_an_hour(heart: Heart, planner: Planner) -> None:
    heart.add("a", trigger=DAILY, timezone="Europe/Berlin")
    (job,) = planner.plan([wanted(trigger=LATER, timezone="Europe/Berlin")], ahead=5).jobs
    moved = [firing for firing in job.firings if firing.move is Move.MOVES]
    assert len(moved) >= 4 and job.timezone == "Europe/Berlin"
    for firing in moved:
        assert firing.before and firing.after
        assert firing.after.due_at - firing.before.due_at == timedelta(hours=1)
        assert "T02:00:00" in firing.before.local and "T03:00:00" in firing.after.local


def test_firings_appear_and_vanish_with_their_job(heart: Heart, planner: Planner) -> None:
    heart.add("old", trigger=DAILY)
    new, old = planner.plan([wanted("fresh", trigger=DAILY)], prune=True, ahead=3).jobs
    assert [firing.move for firing in new.firings] == [Move.APPEARS] * 3
    assert old.action is Action.REMOVE and [f.move for f in old.firings] == [Move.VANISHES] * 3
    assert "its history stays" in old.notes


def test_pruning_leaves_what_code_and_files_declare(heart: Heart, planner: Planner) -> None:
    heart.timetable.add(definition("declared"), by="file", source=Source.FILE)
    assert actions(planner.plan([], prune=True)) == {}


def test_apply_makes_what_was_planned(heart: Heart, planner: Planner) -> None:
    heart.add("change", trigger=DAILY)
    heart.add("gone", trigger=DAILY)
    heart.add("same", trigger=DAILY)
    asked = [wanted("change", trigger=LATER), wanted("fresh"), wanted("same", trigger=DAILY)]
    plan = planner.plan(asked, prune=True)
    done = planner.apply(asked, plan.hash, by="deploy (3f9a)", prune=True)
    assert done == {"create": 1, "change": 1, "remove": 1, "unchanged": 1}
    page = heart.timetable.list()
    assert [(job.id, job.version) for job in page.items] == [("change", 2), ("fresh", 1), ("same", 1)]
    assert heart.history.versions("gone")[-1].operation == "delete"
    assert heart.history.versions("change")[-1].changed_by == "deploy (3f9a)"
    assert planner.plan(asked, prune=True).changes == ()


@pytest.mark.parametrize("change", ["add", "replace", "pause", "remove"])
def test_a_plan_grows_stale(heart: Heart, planner: Planner, change: str) -> None:
    heart.add("b", trigger=DAILY)
    asked = [wanted("a")]
    plan = planner.plan(asked)
    if change == "add":
        heart.add("c")
    elif change == "replace":
        heart.timetable.replace(definition("b", trigger=LATER), by="ann")
    elif change == "pause":
        heart.timetable.pause("b", by="ann")
    else:
        heart.timetable.remove("b", by="ann")
    with pytest.raises(Conflict) as refused:
        planner.apply(asked, plan.hash, by="me")
    assert refused.value.code == "PLAN_STALE"
    assert {"add": "c was created", "replace": "b was changed by ann", "pause": "b was paused"}.get(
        change, "b was removed by ann"
    ) in refused.value.message
    assert "a" not in {job.id for job in heart.timetable.list().items}


def test_a_plan_of_other_jobs_is_refused(heart: Heart, planner: Planner) -> None:
    plan = planner.plan([wanted("a")])
    with pytest.raises(Conflict, match="not the jobs, options and blackouts that"):
        planner.apply([wanted("b")], plan.hash, by="me")
    with pytest.raises(Conflict, match="not the jobs, options and blackouts that"):
        planner.apply([wanted("a")], plan.hash, by="me", prune=True)


@pytest.mark.parametrize("token", ["", "abc", "zz-1", f"{'f' * 10}-{'0' * 31}"])
def test_a_hash_that_is_none_is_refused(planner: Planner, token: str) -> None:
    with pytest.raises(Invalid, match="is not the hash of a plan"):
        planner.apply([], token, by="me")


def test_a_hash_from_the_end_of_time_is_only_stale(planner: Planner) -> None:
    with pytest.raises(Conflict, match="not the jobs"):
        planner.apply([], f"{'f' * 16}-{'0' * 32}", by="me")


def test_nothing_is_applied_when_one_thing_fails(
    heart: Heart, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planner.plan([wanted("a"), wanted("b")])
    monkeypatch.setattr(Audit, "record", refuse_the_plan(Audit.record))
    with pytest.raises(RuntimeError, match=r"plan\.apply"):
        planner.apply([wanted("a"), wanted("b")], plan.hash, by="me")
    assert heart.timetable.list().items == ()


def refuse_the_plan(record: Any) -> Any:
    def refuse(audit: Audit, action: str, target: str, **more: Any) -> None:
        if action == "plan.apply":
            raise RuntimeError(action)
        record(audit, action, target, **more)

    return refuse


def test_an_apply_is_audited_with_each_of_its_changes(heart: Heart, planner: Planner) -> None:
    plan = planner.plan([wanted("a"), wanted("b")])
    planner.apply([wanted("a"), wanted("b")], plan.hash, by="me (3f9a)")
    apply, second, first = Audit(heart.database).list().items
    assert (apply.action, apply.target) == ("plan.apply", f"plan/{plan.hash}")
    assert apply.after is not None and apply.after["by"] == "me (3f9a)"
    assert [(e.action, e.target) for e in (first, second)] == [
        ("job.create", "job/a"),
        ("job.create", "job/b"),
    ]


def test_pausing_is_part_of_a_plan(heart: Heart, planner: Planner) -> None:
    heart.add("a", trigger=DAILY)
    asked = [wanted("a", paused=True, trigger=DAILY), wanted("b", paused=True, trigger=DAILY)]
    plan = planner.plan(asked, ahead=2)
    halted, born = plan.jobs
    assert [f.field for f in halted.fields] == ["paused"]
    assert [firing.move for firing in halted.firings] == [Move.VANISHES] * 2
    assert born.firings == () and "paused" in born.notes[0]
    planner.apply(asked, plan.hash, by="me")
    assert {job.status for job in heart.timetable.list().items} == {"paused"}
    assert planner.plan(asked).changes == ()
    back = planner.plan([wanted("a", paused=False, trigger=DAILY)], ahead=2)
    assert [firing.move for firing in back.jobs[0].firings] == [Move.APPEARS] * 2
    planner.apply([wanted("a", paused=False, trigger=DAILY)], back.hash, by="me")
    assert heart.timetable.get("a").status == "active"


def test_a_paused_job_stays_paused_when_it_changes(heart: Heart, planner: Planner) -> None:
    heart.add("a", trigger=DAILY)
    heart.timetable.pause("a", by="me")
    plan = planner.plan([wanted(trigger=LATER)])
    assert plan.jobs[0].firings == () and plan.jobs[0].action is Action.CHANGE
    planner.apply([wanted(trigger=LATER)], plan.hash, by="me")
    assert heart.timetable.get("a").status == "paused"


def test_what_a_change_touches_is_told(heart: Heart, planner: Planner) -> None:
    heart.timetable.add(definition("a", trigger=DAILY), by="file", source=Source.FILE)
    heart.runs.trigger("a", by="me")
    (job,) = planner.plan([wanted(trigger=LATER)]).jobs
    assert job.open_runs == 1
    assert job.notes == ("declared by file; after this the API's version holds",)


def test_load_is_told_before_and_after(heart: Heart, planner: Planner) -> None:
    hourly = {"type": "cron", "expression": "0 * * * *"}
    for number in range(5):
        heart.add(f"j{number}", trigger=hourly)
    spread = [wanted(f"j{n}", trigger={"type": "cron", "expression": f"{n * 10} * * * *"}) for n in range(5)]
    load = planner.plan(spread).concurrency
    assert (load.before.peak, load.before.starts) == (5, 5)
    assert (load.after.peak, load.after.starts) == (1, 1)
    assert load.assumed == tuple(f"j{n}" for n in range(5)) and load.assumed_seconds == 30


def test_lengths_are_those_of_real_runs(heart: Heart, planner: Planner) -> None:
    heart.add("a", trigger={"type": "cron", "expression": "0 * * * *"})
    heart.add("b", trigger={"type": "cron", "expression": "30 * * * *"})
    run = heart.runs.trigger("a", by="me")
    heart.end(heart.claim(heart.offered)[0])
    heart.database.execute(
        "UPDATE cronzimus.runs SET started_at = ended_at - interval '45 minutes' WHERE id = %s", [run.id]
    )
    load = planner.plan([]).concurrency
    assert load.after.peak == 2 and load.assumed == ("b",)


BY_HAND = {"type": "manual"}


def test_jobs_that_depend_on_each_other_are_applied_in_any_order(heart: Heart, planner: Planner) -> None:
    heart.add("gone", trigger=BY_HAND)
    heart.add("also", trigger=BY_HAND, depends_on=["gone"])
    asked = [wanted("c", trigger=BY_HAND, depends_on=["b"]), wanted("b", trigger=BY_HAND, depends_on=["a"])]
    asked.append(wanted("a", trigger=BY_HAND))
    plan = planner.plan(asked, prune=True)
    assert planner.apply(asked, plan.hash, by="me", prune=True) == {
        **{"create": 3, "change": 0},
        **{"remove": 2, "unchanged": 0},
    }
    turned = [wanted("a", trigger=BY_HAND, depends_on=["b"]), wanted("b", trigger=BY_HAND)]
    plan = planner.plan(turned)
    assert planner.apply(turned, plan.hash, by="me")["change"] == 2


def test_a_plan_that_goes_round_or_leaves_an_edge_to_nobody_is_refused(
    heart: Heart, planner: Planner
) -> None:
    heart.add("a", trigger=BY_HAND)
    heart.add("b", trigger=BY_HAND, depends_on=["a"])
    for asked, prune, code in (
        ([wanted("a", trigger=BY_HAND, depends_on=["b"])], False, "DEPENDENCY_CYCLE"),
        ([wanted("c", trigger=BY_HAND, depends_on=["nobody"])], False, "UNKNOWN_JOB"),
        ([wanted("b", trigger=BY_HAND, depends_on=["a"])], True, "UNKNOWN_JOB"),
    ):
        with pytest.raises((Conflict, Invalid)) as caught:
            planner.plan(asked, prune=prune)
        assert caught.value.code == code
