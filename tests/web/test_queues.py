"""The page of queues and pools."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.queue import QueueStatus
from cronzimus.web.queues import bar_of, verbs_of
from tests.api.fakes import document
from tests.api.fakes_queues import a_pool, a_queue
from tests.web.pages import Element, Page, press, read

HERE = "/queues"


@pytest.fixture
def etl(web: FlaskClient) -> str:
    """A queue that a job names."""
    assert web.post("/api/v1/jobs", json=document("hourly", queue="etl")).status_code == 201
    return "etl"


def row(web: FlaskClient, row_id: str) -> Element:
    return read(web, HERE).one("tr", id=row_id)


def buttons(found: Element) -> list[str]:
    return [one.text for one in found.all("button")]


def test_page_is_there_without_anything(web: FlaskClient) -> None:
    page = read(web, HERE)
    assert "No job and no run names a queue." in page.text and "No pool was made." in page.text


@pytest.mark.parametrize(
    ("verb", "state", "verbs"),
    [
        ("pause", "paused", ["Resume", "Drain"]),
        ("drain", "draining", ["Resume", "Pause"]),
        ("resume", "active", ["Pause", "Drain"]),
    ],
)
def test_queue_is_turned_by_its_buttons(
    web: FlaskClient, etl: str, verb: str, state: str, verbs: list[str]
) -> None:
    if verb == "resume":
        press(web, HERE, "/queues/etl/pause")
    answer = press(web, HERE, f"/queues/etl/{verb}")
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    found = row(web, "queue-etl")
    assert state in found.text and buttons(found) == verbs


def test_queue_shows_what_waits(web: FlaskClient, house: House, etl: str) -> None:
    house.operating.queues.drain(etl, by="ann")
    run = house.runs.trigger("hourly", by="t")
    found = row(web, "queue-etl")
    assert "1 1 held" in found.text and "0 left" in found.text and "by ann" in found.text
    assert "queue etl is being drained" in read(web, f"/runs/{run.id}").one("p", id="held").text


def test_run_that_nothing_holds_says_nothing_of_it(web: FlaskClient, house: House, etl: str) -> None:
    run = house.runs.trigger("hourly", by="t")
    assert read(web, f"/runs/{run.id}").all("p", id="held") == []


def test_queue_that_nobody_names_any_more_is_not_found(web: FlaskClient, house: House, etl: str) -> None:
    token = read(web, HERE).all("input", name="csrf_token")[0].attributes["value"]
    house.timetable.remove("hourly", by="t")
    assert web.post("/queues/etl/pause", data={"csrf_token": token}).status_code == 404


def test_pool_is_made_resized_and_deleted(web: FlaskClient, house: House, etl: str) -> None:
    answer = press(web, HERE, "/pools", name="db", slots="5", description="the replica")
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    press(web, HERE, "/pools", name="db", slots="0")
    found = row(web, "pool-db")
    assert "0 of 0 closed" in found.text and "the replica" in found.text
    assert press(web, HERE, "/pools/db/delete").status_code == 303
    assert house.operating.slot_pools.list().total == 0


@pytest.mark.parametrize(
    "values",
    [
        {"name": "", "slots": "5"},
        {"name": "DB", "slots": "5"},
        {"name": "db", "slots": ""},
        {"name": "db", "slots": "-1"},
        {"name": "db", "slots": "²"},
        {"name": "db", "slots": "9999999"},
    ],
)
def test_mistakes_are_said_and_what_was_typed_stays(
    web: FlaskClient, house: House, etl: str, values: dict[str, str]
) -> None:
    answer = press(web, HERE, "/pools", **values)
    page = Page(answer.text).root
    assert answer.status_code == 422 and page.one("p", **{"class": "lead notice bad"}).text
    assert page.one("input", name="slots").attributes["value"] == values["slots"]
    assert house.operating.slot_pools.list().total == 0


def test_pool_that_jobs_need_stays(web: FlaskClient, house: House) -> None:
    house.operating.slot_pools.define("db", 1, by="t")
    job = document("hourly", limits={"pool": "db"})
    assert web.post("/api/v1/jobs", json=job).status_code == 201
    answer = press(web, HERE, "/pools/db/delete")
    assert answer.status_code == 409 and "used by job hourly" in answer.text


def test_forged_forms_are_refused(web: FlaskClient, house: House, etl: str) -> None:
    for path in ("/queues/etl/pause", "/queues/etl/drain", "/pools"):
        assert web.post(path, data={"name": "db", "slots": "1"}).status_code == 403
    assert house.operating.queues.get(etl).status == QueueStatus.ACTIVE


def test_readers_get_no_buttons(site: Any) -> None:
    tokens = ({"name": "read", "token": "read-key", "scopes": ("read",)},)
    app: Flask = site(environment="production", api={"auth": {"tokens": tokens}})
    app.extensions["cronzimus"].operating.slot_pools.define("db", 1, by="t")
    web = app.test_client()
    web.environ_base["HTTP_AUTHORIZATION"] = "Bearer read-key"
    page = read(web, HERE)
    assert "db" in page.text and page.all("form", action="/pools") == []
    assert page.one("main").all("button") == []


@pytest.mark.parametrize(
    ("slots", "taken", "share"), [(5, 2, 0.4), (5, 0, 0.0), (2, 3, 1.0), (0, 0, 1.0), (0, 1, 1.0)]
)
def test_bar_is_never_more_than_full(slots: int, taken: int, share: float) -> None:
    assert bar_of(a_pool(slots=slots, taken=taken)).share == share


@pytest.mark.parametrize("status", list(QueueStatus))
def test_verbs_never_offer_what_is(status: QueueStatus) -> None:
    made = {"pause": QueueStatus.PAUSED, "drain": QueueStatus.DRAINING, "resume": QueueStatus.ACTIVE}
    assert {made[verb] for verb in verbs_of(a_queue(status=status))} == set(QueueStatus) - {status}
