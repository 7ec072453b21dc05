"""The record of changes: complete, masked, bounded, and never rewritten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cronzimus.common.db import Database, Refused
from cronzimus.common.masking import register_secret
from cronzimus.models.actor import HOUSE, Actor, Door, current_actor
from cronzimus.models.audit import AuditEvent
from cronzimus.models.job import Source
from cronzimus.services.audit import Audit
from tests.heart import Heart, definition

ANN = Actor("ann", Door.CLI, "192.0.2.7", "req-1")


@pytest.fixture
def audit(database: Database) -> Audit:
    """The record of a fresh database."""
    return Audit(database)


@pytest.fixture
def ann() -> Iterator[Actor]:
    """Somebody acts."""
    token = current_actor.set(ANN)
    yield ANN
    current_actor.reset(token)


def age(database: Database, days: int) -> None:
    """Pretend that everything recorded so far was recorded some days ago."""
    with database.transaction():
        database.execute("ALTER TABLE cronzimus.audit_events DISABLE TRIGGER audit_events_append_only")
        database.execute("UPDATE cronzimus.audit_events SET at = at - make_interval(days => %s)", [days])
        database.execute("ALTER TABLE cronzimus.audit_events ENABLE TRIGGER audit_events_append_only")


def told(audit: Audit) -> list[tuple[str, str, str]]:
    """What is recorded, earliest first."""
    return [(event.actor, event.action, event.target) for event in reversed(audit.list().items)]


def test_event_tells_who_when_from_where_before_and_after(audit: Audit, ann: Actor) -> None:
    audit.record("job.pause", "job/nightly", before={"status": "active"}, after={"status": "paused"})
    (event,) = audit.list().items
    assert (event.actor, event.door, event.address, event.request_id) == ("ann", "cli", "192.0.2.7", "req-1")
    assert (event.action, event.target) == ("job.pause", "job/nightly")
    assert (event.before, event.after) == ({"status": "active"}, {"status": "paused"})
    assert datetime.now(UTC) - event.at < timedelta(minutes=1)


def test_without_an_actor_the_house_did_it(audit: Audit) -> None:
    audit.record("job.create", "job/a")
    (event,) = audit.list().items
    assert (event.actor, event.door, event.address) == (HOUSE.name, "house", None)


def test_event_shares_the_fate_of_its_change(audit: Audit, database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction():
        audit.record("job.pause", "job/a")
        raise RuntimeError
    assert audit.list().items == ()


def test_no_secret_is_kept(audit: Audit, database: Database) -> None:
    register_secret("wonderland-4711")
    after = {
        "env": {"PGPASSWORD": "open", "EDITOR": "vi"},
        "url": "https://ann:sesame@example.org/?token=abc",
        "argv": ["--say", "wonderland-4711"],
        "headers": {"Authorization": "Basic Zm9v"},
        "tokens": ["one", "two"],
        "retries": 3,
    }
    audit.record("job.create", "job/a", after=after)
    (event,) = audit.list().items
    assert event.after == {
        "env": {"PGPASSWORD": "***", "EDITOR": "vi"},
        "url": "https://ann:***@example.org/?token=***",
        "argv": ["--say", "***"],
        "headers": {"Authorization": "***"},
        "tokens": "***",
        "retries": 3,
    }


def test_what_nobody_would_read_is_left_out(audit: Audit) -> None:
    audit.record("job.create", "job/a", after={"script": "x" * 100_000})
    (event,) = audit.list().items
    assert event.after["bytes"] > 100_000 and len(event.after["sha256"]) == 64 and "script" not in event.after


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 4),
        ({"actor": "ann"}, 1),
        ({"actor": "an"}, 0),
        ({"action": "job.pause"}, 2),
        ({"action": "job"}, 3),
        ({"action": "jo"}, 0),
        ({"target": "job"}, 3),
        ({"target": "job/a"}, 2),
        ({"target": "job/a", "action": "job.pause"}, 1),
        ({"since": datetime(2020, 1, 1, tzinfo=UTC)}, 4),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, 0),
    ],
)
def test_list_filters(audit: Audit, filters: dict[str, str], found: int) -> None:
    audit.record("job.pause", "job/a")
    audit.record("job.resume", "job/a")
    audit.record("job.pause", "job/ab")
    token = current_actor.set(ANN)
    audit.record("token.make", "token/ci")
    current_actor.reset(token)
    page = audit.list(**filters)  # type: ignore[arg-type]
    assert (len(page.items), page.total) == (found, found)


def test_list_pages_latest_first(audit: Audit) -> None:
    for number in range(5):
        audit.record("job.pause", f"job/{number}")
    page = audit.list(limit=2, offset=1)
    assert [event.target for event in page.items] == ["job/3", "job/2"] and page.total == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cronzimus.audit_events SET actor = 'nobody'",
        "DELETE FROM cronzimus.audit_events",
        "TRUNCATE cronzimus.audit_events",
    ],
)
def test_database_refuses_to_forget(audit: Audit, database: Database, statement: str) -> None:
    audit.record("job.pause", "job/a")
    with pytest.raises(Refused, match="neither changed nor removed"):
        database.execute(statement)
    assert len(audit.list().items) == 1


def test_database_refuses_to_forget_even_while_pruning(audit: Audit, database: Database) -> None:
    audit.record("job.pause", "job/a")
    with pytest.raises(Refused), database.transaction():
        database.execute("SET LOCAL cronzimus.pruning = 'audit_events'")
        database.execute("DELETE FROM cronzimus.audit_events")
    assert len(audit.list().items) == 1


def test_pruning_takes_what_is_older(audit: Audit, database: Database) -> None:
    audit.record("job.pause", "job/old")
    age(database, 100)
    audit.record("job.pause", "job/new")
    assert audit.prune(timedelta(days=200)) == 0
    assert audit.prune(timedelta(days=90)) == 1
    assert [event.target for event in audit.list().items] == ["job/new"]


def test_pruning_never_takes_the_last_month(audit: Audit, database: Database) -> None:
    audit.record("job.pause", "job/a")
    age(database, 29)
    assert audit.prune(timedelta(0)) == 0
    assert len(audit.list().items) == 1


def test_every_verb_of_the_timetable_is_recorded(heart: Heart, audit: Audit, ann: Actor) -> None:
    heart.add(trigger={"type": "interval", "hours": 1})
    heart.timetable.replace(definition(trigger={"type": "manual"}), by="ann")
    heart.timetable.pause("a", by="ann")
    heart.timetable.resume("a", by="ann")
    heart.timetable.remove("a", by="ann")
    verbs = ["create", "replace", "pause", "resume", "delete"]
    assert told(audit) == [("ann", f"job.{verb}", "job/a") for verb in verbs]
    events = {event.action: event for event in audit.list().items}
    assert events["job.create"].before is None
    assert events["job.create"].after["trigger"]["type"] == "interval"
    assert events["job.replace"].before == events["job.create"].after
    assert events["job.replace"].after["trigger"] == {"type": "manual"}
    assert events["job.pause"].before == {"status": "active"}
    assert events["job.pause"].after == {"status": "paused"}
    assert events["job.delete"].before == events["job.replace"].after


def test_refused_change_leaves_no_event(heart: Heart, audit: Audit) -> None:
    heart.add()
    with pytest.raises(Exception, match="exists"):
        heart.add()
    assert len(audit.list().items) == 1


def test_synchronising_is_recorded_only_where_something_changes(heart: Heart, audit: Audit) -> None:
    declared = [(definition("a"), Source.CODE), (definition("b"), Source.FILE)]
    heart.timetable.synchronise(declared)
    heart.timetable.synchronise(declared)
    assert told(audit) == [("house", "job.create", "job/a"), ("house", "job.create", "job/b")]
    heart.timetable.synchronise(declared[:1])
    assert told(audit)[-1] == ("house", "job.delete", "job/b")


def test_every_verb_of_runs_is_recorded(heart: Heart, audit: Audit, ann: Actor) -> None:
    heart.add(trigger={"type": "manual"})
    run = heart.runs.trigger("a", params={"x": 1}, by="ann")
    heart.runs.cancel(run.id, by="ann")
    again = heart.runs.retry(run.id, by="ann")
    started, cancelled, retried = _last(audit, 3)
    assert (started.action, started.target) == ("job.run", "job/a")
    assert started.after == {"run_id": str(run.id), "params": {"x": 1}}
    assert (cancelled.action, cancelled.target) == ("run.cancel", f"run/{run.id}")
    assert (cancelled.before, cancelled.after["state"]) == ({"state": "pending"}, "cancelled")
    assert (retried.action, retried.target) == ("run.retry", f"run/{run.id}")
    assert retried.after["run_id"] == str(again.id)


def test_firing_is_not_recorded(heart: Heart, audit: Audit) -> None:
    heart.add()
    heart.make_due("a")
    assert len(heart.fire()) == 1
    assert [action for _, action, _ in told(audit)] == ["job.create"]


def _last(audit: Audit, count: int) -> list[AuditEvent]:
    return list(reversed(audit.list(limit=count).items))
