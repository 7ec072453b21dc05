"""The workers page."""

from uuid import UUID

from flask.testing import FlaskClient

from cronzimus.house import House
from tests.services.crew import Crew
from tests.web.pages import press, read


def test_every_process_is_shown(web: FlaskClient, house: House) -> None:
    assert "No process is there." in read(web, "/workers").text
    house.operating.living.life.step()
    (row,) = [one for one in read(web, "/workers").all("tr") if "data-row" in one.attributes]
    assert house.name in row.text and "alive" in row.text and "0 of 10" in row.text
    assert "scheduler, api, worker" in row.text


def test_filter_by_state(web: FlaskClient, house: House) -> None:
    house.operating.living.life.step()
    assert "No process" in read(web, "/workers?status=down").text
    house.operating.living.life.leave()
    page = read(web, "/workers?status=down")
    assert house.name in page.text
    assert [one.text for one in page.all("a") if one.attributes.get("aria-current") == "true"] == ["down"]


def test_only_workers_can_be_drained_here(web: FlaskClient, house: House) -> None:
    house.operating.living.life.step()
    assert not read(web, "/workers").all("form", action=f"/workers/{house.name.replace(':', '%3A')}/drain")
    crew = Crew(house.database)
    crew.come("w1", labels={"zone": "eu"})
    page = read(web, "/workers")
    row = page.one("tr", id=f"worker-{UUID(int=1)}")
    assert "zone=eu" in row.text and "shell, http; all queues" in row.text
    assert row.all("form", action="/workers/w1/drain")


def test_drain_says_what_happens_and_changes_the_row(web: FlaskClient, house: House) -> None:
    Crew(house.database).come("w1")
    answer = press(web, "/workers", "/workers/w1/drain")
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/workers?")
    page = read(web, "/workers")
    assert "w1 finishes what runs, and ends" in page.text and "draining" in page.text
    assert not page.all("form", action="/workers/w1/drain")


def test_drain_of_one_that_left_meanwhile_is_told(web: FlaskClient, house: House) -> None:
    life = Crew(house.database).come("w1")
    token = read(web, "/workers").one("form", action="/workers/w1/drain").one("input", name="csrf_token")
    life.leave()
    answer = web.post("/workers/w1/drain", data={"csrf_token": token.attributes["value"]})
    assert answer.status_code == 409 and "down already" in answer.text


def test_drain_without_the_token_of_the_form_is_refused(web: FlaskClient, house: House) -> None:
    Crew(house.database).come("w1")
    assert web.post("/workers/w1/drain").status_code == 403
    assert house.operating.processes.get("w1").status == "alive"
