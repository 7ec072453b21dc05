"""Queues that people halt and let go."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cronzimus.errors import NotFound
from cronzimus.models.queue import Queue, QueueStatus
from cronzimus.models.run import Offer, Run
from cronzimus.services.audit import Audit
from cronzimus.services.queues import Queues, halted_among
from tests.heart import Heart

MANUAL = {"type": "manual"}
VERBS = [Queues.pause, Queues.drain, Queues.resume]


@pytest.fixture
def queues(heart: Heart) -> Queues:
    return Queues(heart.database, heart.offered.extend)


def run_in(heart: Heart, queue: str, job_id: str = "a", **more: Any) -> Run:
    names = [job.id for job in heart.timetable.list().items]
    if job_id not in names:
        heart.add(job_id, trigger=MANUAL, queue=queue, policy={"overlap": "allow"}, **more)
    return heart.runs.trigger(job_id, by="t")


def hold(heart: Heart, run: Run, held_by: str) -> None:
    statement = "UPDATE cronzimus.runs SET gated = true, ranked_at = queued_at, held_by = %s WHERE id = %s"
    heart.database.execute(statement, [held_by, run.id])


def held(heart: Heart, run: Run) -> str | None:
    return heart.history.run(run.id).held_by


def claimed(heart: Heart, *runs: Run) -> set[UUID]:
    return {claim.run_id for claim in heart.claim([Offer(run.id, None) for run in runs])}


def test_queues_are_those_that_anybody_names(heart: Heart, queues: Queues) -> None:
    heart.add("idle", queue="etl")
    first = run_in(heart, "gone", "b")
    run_in(heart, "gone", "b")
    claimed(heart, first)
    heart.timetable.replace(heart.definitions.get("b", 1).model_copy(update={"queue": "etl"}), by="t")
    queues.pause("etl", by="ann")
    page = queues.list()
    assert [(one.name, one.status, one.jobs, one.waiting, one.held, one.running) for one in page.items] == [
        ("etl", "paused", 2, 0, 0, 0),
        ("gone", "active", 0, 1, 0, 1),
    ]
    assert page.total == 2 and [one.name for one in queues.list(limit=1, offset=1).items] == ["gone"]
    assert queues.list(offset=7).total == 2
    assert queues.get("gone") == page.items[1] and page.items[1].changed_by is None


def test_queue_that_nobody_names_is_not_found(heart: Heart, queues: Queues) -> None:
    heart.add("a", queue="reports")
    for verb in (*VERBS, lambda queues, name, by: queues.get(name)):
        with pytest.raises(NotFound, match="did you mean 'reports'") as caught:
            verb(queues, "reprots", by="t")
        assert caught.value.code == "QUEUE_NOT_FOUND"


def test_paused_queue_lets_nothing_start_until_it_is_resumed(heart: Heart, queues: Queues) -> None:
    before = run_in(heart, "etl")
    assert queues.pause("etl", by="ann").status == QueueStatus.PAUSED
    after = run_in(heart, "etl")
    assert claimed(heart, before, after) == set() and heart.upkeep.resend() == 0
    found = queues.get("etl")
    assert (found.waiting, found.held, found.running, found.changed_by) == (2, 2, 0, "ann")
    heart.offered.clear()
    queues.resume("etl", by="ann")
    assert [offer.run_id for offer in heart.offered] == [before.id, after.id]
    assert claimed(heart, before, after) == {before.id, after.id}


def test_drain_lets_start_what_was_there_before(heart: Heart, queues: Queues) -> None:
    before = run_in(heart, "etl")
    assert queues.drain("etl", by="ann").left == 1
    after = run_in(heart, "etl")
    found = queues.get("etl")
    assert (found.status, found.waiting, found.held, found.left) == ("draining", 2, 1, 1)
    assert heart.upkeep.resend() == 1
    assert claimed(heart, before, after) == {before.id}
    found = queues.get("etl")
    assert (found.running, found.held, found.left) == (1, 1, 1)
    queues.resume("etl", by="ann")
    assert claimed(heart, after) == {after.id}


def test_second_drain_keeps_the_moment_of_the_first(heart: Heart, queues: Queues) -> None:
    run_in(heart, "etl")
    first = queues.drain("etl", by="ann")
    run_in(heart, "etl")
    assert queues.drain("etl", by="bob") == Queue(
        "etl", QueueStatus.DRAINING, 1, 2, 1, 0, 1, "ann", first.changed_at
    )


@pytest.mark.parametrize(
    ("verb", "let_go"), [(Queues.resume, {"early", "late"}), (Queues.drain, {"early", "late"})]
)
def test_what_a_paused_queue_held_is_let_go(
    heart: Heart, queues: Queues, verb: Callable[..., Queue], let_go: set[str]
) -> None:
    runs = {"early": run_in(heart, "etl"), "late": run_in(heart, "etl"), "mutex": run_in(heart, "etl")}
    queues.pause("etl", by="t")
    for name, run in runs.items():
        hold(heart, run, "mutex:m" if name == "mutex" else "queue:etl")
    verb(queues, "etl", by="t")
    assert {name for name, run in runs.items() if held(heart, run) is None} == let_go
    assert held(heart, runs["mutex"]) == "mutex:m"


def test_what_came_after_a_drain_stays_held(heart: Heart, queues: Queues) -> None:
    run_in(heart, "etl")
    queues.drain("etl", by="t")
    late = run_in(heart, "etl")
    hold(heart, late, "queue:etl")
    queues.pause("etl", by="t")
    assert held(heart, late) == "queue:etl"
    queues.resume("etl", by="t")
    assert held(heart, late) is None


def test_gated_runs_are_left_to_the_dispatcher_which_is_told(heart: Heart, queues: Queues) -> None:
    run = run_in(heart, "etl")
    hold(heart, run, "queue:etl")
    heart.offered.clear()
    queues.pause("etl", by="t")
    with heart.database.connection() as session:
        session.execute("LISTEN cronzimus_dispatch")
        queues.resume("etl", by="t")
        (heard,) = session.notifies(timeout=5, stop_after=1)
    assert (heard.payload, heart.offered) == ("", [])


def test_each_change_is_kept_once(heart: Heart, queues: Queues) -> None:
    heart.add(queue="etl")
    for verb in (Queues.pause, Queues.pause, Queues.drain, Queues.resume, Queues.resume):
        verb(queues, "etl", by="ann")
    events = Audit(heart.database).list(action="queue").items
    assert [(one.action, one.before, one.after) for one in events] == [
        ("queue.resume", {"status": "draining"}, {"status": "active"}),
        ("queue.drain", {"status": "paused"}, {"status": "draining"}),
        ("queue.pause", {"status": "active"}, {"status": "paused"}),
    ]
    assert {one.target for one in events} == {"queue/etl"}


def test_change_waits_for_the_round_that_goes_on(heart: Heart, queues: Queues, database_url: str) -> None:
    heart.add(queue="etl")
    with psycopg.connect(database_url) as round_:
        round_.execute("SELECT pg_try_advisory_xact_lock(1668244074)")
        heart.database.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout|did not end|canceling"):
            with heart.database.transaction():
                heart.database.execute("SET LOCAL lock_timeout = '50ms'")
                queues.pause("etl", by="t")
    assert queues.get("etl").status == QueueStatus.ACTIVE
    assert queues.pause("etl", by="t").status == QueueStatus.PAUSED


def test_halted_queues_are_named_with_their_moment(heart: Heart, queues: Queues) -> None:
    heart.add("a", queue="etl")
    heart.add("b", queue="web")
    queues.drain("etl", by="t")
    (halt,) = halted_among(heart.database, {"etl", "web", "none"}).values()
    assert (halt.status, halt.changed_at) == (QueueStatus.DRAINING, queues.get("etl").changed_at)
