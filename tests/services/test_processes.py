"""Who is there, and what people ask of one."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Conflict, NotFound
from cronzimus.models.worker import Takes
from cronzimus.services.audit import Audit
from tests.heart import Heart
from tests.services.crew import Crew


@pytest.fixture
def crew(database: Database) -> Crew:
    return Crew(database)


@pytest.fixture
def listening(database_url: str) -> Iterator[psycopg.Connection]:
    """A session that hears what workers are told."""
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute("LISTEN cronzimus_workers")
        yield session


def test_leader_comes_first(crew: Crew, heart: Heart) -> None:
    heart.lead()
    crew.come(heart.name, boot=1)
    crew.come("zzz", boot=2)
    assert [(one.id, one.leads) for one in crew.processes.list().items] == [
        (heart.name, True),
        ("zzz", False),
    ]
    heart.leadership.resign()
    assert not any(one.leads for one in crew.processes.list().items)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"status": "down"}, ["b"]),
        ({"status": "alive"}, ["a"]),
        ({"role": "api"}, []),
        ({"role": "worker", "status": "alive"}, ["a"]),
        ({"limit": 1, "offset": 1}, ["b"]),
    ],
)
def test_list_filters_and_pages(crew: Crew, filters: dict[str, object], found: list[str]) -> None:
    crew.come("a", boot=1)
    crew.come("b", boot=2).leave()
    list_: Callable[..., object] = crew.processes.list
    assert [one.id for one in list_(**filters).items] == found  # type: ignore[attr-defined]


def test_unknown_one_is_not_found(crew: Crew) -> None:
    for ask in (crew.processes.get, crew.processes.drain):
        with pytest.raises(NotFound, match="no worker 'x'"):
            ask("x")


def test_drain_takes_effect_before_the_worker_hears_of_it(crew: Crew, listening: psycopg.Connection) -> None:
    crew.come("a")
    crew.told()
    asked = crew.processes.drain("a")
    assert (asked.status, asked.takes) == ("draining", []) and asked.drain_requested_at is not None
    assert [one.payload for one in listening.notifies(timeout=5, stop_after=1)] == ["a"]
    assert crew.told() == [("a", "draining")]


def test_drain_is_recorded_with_who_asked(crew: Crew, database: Database) -> None:
    crew.come("a")
    crew.processes.drain("a")
    (event,) = Audit(database).list(action="worker.drain").items
    assert event.target == "worker/a"
    assert event.before == {"status": "alive", "takes": ["workers"]}
    assert event.after == {"status": "draining", "takes": []}


def test_drain_asked_again_keeps_its_moment(crew: Crew) -> None:
    crew.come("a", takes=(Takes.SCHEDULER, Takes.WORKERS))
    first = crew.processes.drain("a").drain_requested_at
    assert crew.processes.drain("a").drain_requested_at == first


def test_drain_of_one_that_is_down_is_refused(crew: Crew) -> None:
    crew.come("a").leave()
    with pytest.raises(Conflict) as refused:
        crew.processes.drain("a")
    assert refused.value.code == "WORKER_DOWN"


@pytest.mark.parametrize("takes", [(), (Takes.SCHEDULER,)])
def test_drain_of_one_that_is_no_worker_is_refused(crew: Crew, takes: tuple[Takes, ...]) -> None:
    crew.come("a", takes=takes)
    with pytest.raises(Conflict, match="nothing to drain") as refused:
        crew.processes.drain("a")
    assert refused.value.code == "NOT_A_WORKER"


def test_drain_of_one_that_left_at_that_moment_is_refused(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    life, get = crew.come("a"), crew.processes.get

    def get_and_go(worker_id: str) -> object:
        found = get(worker_id)
        life.leave()
        return found

    monkeypatch.setattr(crew.processes, "get", get_and_go)
    with pytest.raises(Conflict, match="down already"):
        crew.processes.drain("a")
    assert Audit(database).list(action="worker.drain").total == 0
