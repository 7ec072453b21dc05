"""The form that makes and changes jobs."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cronzimus.house import House
from cronzimus.web.edit import foreseen
from tests.web.pages import Element, Page, press, read

FUNC = "cronzimus.controller.task:task"
FILLED = {"id": "nightly", "what": FUNC, "trigger": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"}
EDIT = "/jobs/hourly/edit"


def shown(answer: TestResponse) -> Element:
    return Page(answer.text).root


def send(web: FlaskClient, path: str, **values: str) -> TestResponse:
    """Send the form; what it does not name, its choices and texts, has the default of an empty one."""
    return press(web, path, path, **values)


def test_a_job_is_made(web: FlaskClient, house: House) -> None:
    answer = send(web, "/jobs/new", **FILLED, tags="a, b", max_attempts="3", more='{"queue": "slow"}')
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs/nightly")
    made = house.timetable.get("nightly").definition
    assert made["trigger"]["expression"] == "30 2 * * *" and made["timezone"] == "Europe/Berlin"
    assert (made["tags"], made["queue"], made["policy"]["max_attempts"]) == (["a", "b"], "slow", 3)


def test_mistakes_stand_beside_their_fields_and_what_was_typed_stays(web: FlaskClient) -> None:
    answer = send(web, "/jobs/new", **{**FILLED, "cron": "61 * * * *", "max_attempts": "many"})
    page = shown(answer)
    assert answer.status_code == 422
    for name, typed in (("cron", "61 * * * *"), ("max_attempts", "many")):
        field = page.one("input", id=name)
        assert field.attributes["value"] == typed and field.attributes["aria-invalid"] == "true"
        assert page.one("span", id=f"{name}-note").attributes["class"] == "fault"
    assert "aria-invalid" not in page.one("input", id="what").attributes


def test_an_id_that_is_taken_is_refused(web: FlaskClient, hourly: str) -> None:
    answer = send(web, "/jobs/new", **{**FILLED, "id": "hourly"})
    assert (
        answer.status_code == 409 and "hourly" in shown(answer).one("p", **{"class": "lead notice bad"}).text
    )


def test_a_preview_changes_nothing(web: FlaskClient, house: House) -> None:
    answer = send(web, "/jobs/new", **FILLED, preview="1")
    preview = shown(answer).one("section", id="preview")
    assert answer.status_code == 200
    assert len(preview.one("tbody").all("tr")) == 5 and "02:30" in preview.text
    assert house.timetable.list().total == 0


def test_a_preview_says_what_is_wrong(web: FlaskClient) -> None:
    preview = shown(send(web, "/jobs/new", **{**FILLED, "cron": "x"}, preview="1")).one(
        "section", id="preview"
    )
    assert "trigger" in preview.text and preview.all("table") == []


def test_a_job_is_changed(web: FlaskClient, house: House, hourly: str) -> None:
    answer = send(
        web, EDIT, what=FUNC, trigger="interval", every="2", unit="hours", description="new <words>"
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs/hourly")
    job = house.timetable.get("hourly")
    assert (job.version, job.definition["description"]) == (2, "new <words>")
    assert job.definition["trigger"]["hours"] == 2


def test_the_form_shows_the_job_as_it_is(web: FlaskClient, hourly: str) -> None:
    page = read(web, EDIT)
    assert page.one("input", id="every").attributes["value"] == "1"
    assert page.one("select", id="unit").one("option", selected="").text == "hours"
    assert page.one("input", name="version").attributes["value"] == "1"
    assert page.one("section", id="preview").text.startswith("When it would run")


def test_a_form_of_an_older_version_is_refused(web: FlaskClient, house: House, hourly: str) -> None:
    filled = {"what": FUNC, "trigger": "manual"}
    assert send(web, EDIT, **filled).status_code == 303
    stale = send(web, EDIT, **filled, version="1")
    assert (
        stale.status_code == 409 and "version" in shown(stale).one("p", **{"class": "lead notice bad"}).text
    )
    assert send(web, EDIT, **filled, version="x").status_code == 409
    assert house.timetable.get("hourly").version == 2


def test_a_job_keeps_its_id(web: FlaskClient, house: House, hourly: str) -> None:
    assert send(web, EDIT, id="other", what=FUNC, trigger="manual").status_code == 303
    assert house.timetable.list().total == 1 and house.timetable.get("hourly").version == 2


def test_a_forged_form_is_refused(web: FlaskClient, house: House) -> None:
    assert web.post("/jobs/new", data=FILLED).status_code == 403
    assert house.timetable.list().total == 0


def test_what_is_not_there_cannot_be_edited(web: FlaskClient) -> None:
    assert web.get("/jobs/none/edit", headers={"Accept": "text/html"}).status_code == 404


def test_a_job_without_instants_is_told(web: FlaskClient, hourly: str) -> None:
    with web.application.test_request_context():
        preview = foreseen({**FILLED, "trigger": "manual"})
    assert preview.coming == () and preview.fault == "" and preview.words
