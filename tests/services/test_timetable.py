"""The timetable's verbs: one transaction each, a version each, nothing lost in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.job import Source
from cronzimus.services.definitions import Definitions
from cronzimus.services.timetable import Timetable
from tests.heart import Heart, definition

MANUAL = {"type": "manual"}
HOURLY = {"type": "interval", "hours": 1}


def test_added_job_is_active_and_due_at_its_next_instant(heart: Heart) -> None:
    job = heart.add(trigger=HOURLY, tags=["nightly"])
    assert (job.id, job.status, job.version, job.source) == ("a", "active", 1, "api")
    assert job.next_due_at is not None and timedelta() < job.next_due_at - job.created_at <= timedelta(
        hours=1
    )
    assert job.definition == definition(trigger=HOURLY, tags=["nightly"]).document()


def test_job_without_a_schedule_is_active_and_never_due(heart: Heart) -> None:
    job = heart.add(trigger=MANUAL)
    assert (job.status, job.next_due_at) == ("active", None)


def test_second_job_of_the_same_id_is_refused(heart: Heart) -> None:
    heart.add()
    with pytest.raises(Conflict) as caught:
        heart.add()
    assert caught.value.code == "JOB_EXISTS"


@pytest.mark.parametrize("verb", ["get", "remove", "pause", "resume", "replace"])
def test_unknown_job_is_not_found(heart: Heart, verb: str) -> None:
    with pytest.raises(NotFound) as caught:
        if verb == "get":
            heart.timetable.get("a")
        elif verb == "replace":
            heart.timetable.replace(definition(), by="t")
        else:
            getattr(heart.timetable, verb)("a", by="t")
    assert caught.value.code == "JOB_NOT_FOUND"


def test_replacement_is_the_next_version_and_counts_from_now(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    job = heart.timetable.replace(definition(trigger={"type": "interval", "minutes": 1}), by="ann")
    assert job.version == 2 and job.next_due_at is not None
    assert job.next_due_at - job.updated_at <= timedelta(minutes=1)
    versions = heart.history.versions("a")
    assert [(v.version, v.operation, v.changed_by) for v in versions] == [
        (1, "create", "test"),
        (2, "replace", "ann"),
    ]


def test_replacement_of_another_version_is_refused(heart: Heart) -> None:
    heart.add()
    heart.timetable.replace(definition(priority=1), by="t", expected_version=1)
    with pytest.raises(Conflict) as caught:
        heart.timetable.replace(definition(priority=2), by="t", expected_version=1)
    assert caught.value.code == "VERSION_CONFLICT"
    assert heart.timetable.get("a").definition["priority"] == 1


def test_instants_that_had_come_before_a_change_get_their_row(heart: Heart) -> None:
    heart.add()
    due_at = heart.make_due("a", "date_trunc('second', clock_timestamp()) - interval '2 seconds'")
    heart.timetable.replace(definition(priority=1), by="ann")
    rows = heart.history.firings(job_id="a").items
    assert {(row.decision, row.reason, row.decided_by, row.job_version) for row in rows} == {
        ("skipped", "superseded", "ann", 1)
    }
    assert len(rows) == 3 and rows[-1].due_at == due_at


def test_removed_job_leaves_its_history_and_cancels_what_waits(heart: Heart) -> None:
    heart.add()
    run = heart.runs.trigger("a", by="t")
    heart.timetable.remove("a", by="ann")
    assert heart.timetable.list().total == 0
    assert heart.state_of(run.id) == "cancelled"
    assert heart.history.versions("a")[-1].operation == "delete"


def test_job_that_comes_back_counts_its_versions_on(heart: Heart) -> None:
    heart.add()
    heart.timetable.remove("a", by="t")
    assert heart.add().version == 3


def test_pause_and_resume_keep_the_next_instant(heart: Heart) -> None:
    due_at = heart.add(trigger=HOURLY).next_due_at
    paused = heart.timetable.pause("a", by="t")
    again = heart.timetable.pause("a", by="t")
    assert (paused.status, paused.next_due_at, again.status) == ("paused", due_at, "paused")
    resumed = heart.timetable.resume("a", by="t")
    assert (resumed.status, resumed.next_due_at) == ("active", due_at)


def test_paused_job_that_is_replaced_stays_paused(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.timetable.pause("a", by="t")
    assert heart.timetable.replace(definition(trigger=HOURLY, priority=3), by="t").status == "paused"


def test_finished_job_cannot_be_paused(heart: Heart) -> None:
    heart.add(trigger={"type": "date", "run_date": "2020-01-01T00:00:00+00:00"})
    with pytest.raises(Conflict) as caught:
        heart.timetable.pause("a", by="t")
    assert caught.value.code == "JOB_FINISHED"


def test_page_filters_and_counts(heart: Heart) -> None:
    for job_id, more in (("alpha", {"tags": ["x"]}), ("beta", {}), ("gamma", {"tags": ["x", "y"]})):
        heart.add(job_id, **more)
    heart.timetable.pause("beta", by="t")
    ids = [job.id for job in heart.timetable.list(limit=2, offset=1).items]
    assert ids == ["beta", "gamma"] and heart.timetable.list(limit=1).total == 3
    assert [job.id for job in heart.timetable.list(tag="x").items] == ["alpha", "gamma"]
    assert [job.id for job in heart.timetable.list(status="paused").items] == ["beta"]
    assert [job.id for job in heart.timetable.list(search="MM").items] == ["gamma"]
    assert heart.timetable.list(kind="shell").total == 0
    assert heart.timetable.list(source="api").total == 3
    assert heart.timetable.list(search="%").total == 0


def test_declared_jobs_arrive_change_and_leave(heart: Heart) -> None:
    timetable = heart.timetable
    timetable.synchronise(
        [(definition(trigger=HOURLY), Source.CODE), (definition("b", trigger=MANUAL), Source.FILE)]
    )
    assert [(job.id, job.source, job.version) for job in timetable.list().items] == [
        ("a", "code", 1),
        ("b", "file", 1),
    ]
    timetable.synchronise(
        [(definition(trigger=HOURLY), Source.CODE), (definition("b", priority=5), Source.FILE)]
    )
    assert [(job.id, job.version) for job in timetable.list().items] == [("a", 1), ("b", 2)]
    timetable.synchronise([(definition("b", priority=5), Source.FILE)])
    assert [job.id for job in timetable.list().items] == ["b"]


def test_job_changed_through_the_api_wins_over_its_declaration(heart: Heart) -> None:
    heart.timetable.synchronise([(definition(trigger=HOURLY), Source.CODE)])
    heart.timetable.replace(definition(trigger=HOURLY, priority=9), by="ann")
    heart.timetable.synchronise([(definition(trigger=HOURLY), Source.CODE)])
    assert heart.timetable.get("a").definition["priority"] == 9
    heart.timetable.synchronise([])
    assert heart.timetable.list().total == 1


def test_declared_job_that_is_paused_stays_paused(heart: Heart) -> None:
    heart.timetable.synchronise([(definition(trigger=HOURLY), Source.CODE)])
    heart.timetable.pause("a", by="ann")
    heart.timetable.synchronise([(definition(trigger=HOURLY), Source.CODE)])
    assert heart.timetable.get("a").status == "paused"


def test_replicas_that_start_together_declare_each_job_once(database_url: str) -> None:
    declared = [(definition(f"job-{n}", trigger=HOURLY), Source.CODE) for n in range(5)]

    def start(_: int) -> None:
        database = Database(database_url, 1)
        Timetable(database, Definitions(database)).synchronise(declared)
        database.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, range(6)))
    database = Database(database_url, 1)
    assert database.fetch_one("SELECT count(*), max(version) FROM cronzimus.job_versions") == (5, 1)
    database.close()


def test_write_wakes_the_leader(heart: Heart) -> None:
    with heart.database.connection() as session:
        session.execute("LISTEN cronzimus_jobs")
        heart.add()
        (heard,) = session.notifies(timeout=5, stop_after=1)
    assert heard.payload == "a"
