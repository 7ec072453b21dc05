"""Blackouts on the page of time off, and their form."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.blackout import HouseBlackout
from cronzimus.services.audit import Audit
from cronzimus.services.blackouts import StoredBlackout
from cronzimus.web.blackouts import Row, row_of
from tests.web.pages import Element, Page, press, read

NEW = "/blackouts/new"
ONCE = {"id": "xmas", "from": "2026-12-24T18:00", "to": "2026-12-27T06:00", "timezone": "Europe/Berlin"}
NIGHTLY = {"id": "night", "start": "22:00", "end": "06:00", "days": ["fri", "sat"]}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Add = Callable[..., StoredBlackout]


@pytest.fixture
def add(house: House) -> Add:
    """Makes a blackout behind the page's back."""
    return lambda **fields: house.operating.blackouts.add(HouseBlackout.model_validate(fields), by="ann")


def row(web: FlaskClient, blackout_id: str) -> Element:
    return read(web, "/calendars").one("tr", id=f"blackout-{blackout_id}")


def at(now: datetime, **fields: object) -> Row:
    document = HouseBlackout.model_validate(fields).document()
    return row_of(StoredBlackout(document, 1, "ann", now, now), now)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-12-24T16:59Z", "coming"),
        ("2026-12-24T17:00Z", "active"),
        ("2026-12-27T04:59Z", "active"),
        ("2026-12-27T05:00Z", "over"),
    ],
)
def test_a_window_is_coming_active_and_over_on_its_own_clock(now: str, state: str) -> None:
    found = at(datetime.fromisoformat(now), **ONCE)
    assert found.state == state and found.span is not None
    assert found.span[1] == datetime(2026, 12, 27, 5, tzinfo=UTC)
    assert (found.ends is not None) is (state == "active")


def test_a_window_that_comes_again_is_never_over() -> None:
    friday = at(NOON.replace(hour=23), **NIGHTLY)
    assert (friday.state, friday.ends) == ("active", datetime(2026, 11, 21, 6, tzinfo=UTC))
    assert at(NOON, **NIGHTLY).state == "coming" and at(NOON, **NIGHTLY).span is None


def test_blackouts_are_listed_with_scope_window_and_reason(web: FlaskClient, add: Add) -> None:
    now = datetime.now(UTC)
    add(
        **{"id": "now", "from": now - timedelta(hours=1), "to": now + timedelta(hours=1)},
        reason="Moving <out>",
    )
    add(**NIGHTLY, tags=["billing"], jobs=["hourly"], policy="hold", timezone=None)
    active, nightly = row(web, "now"), row(web, "night")
    assert active.one("span", **{"class": "state s-active"}) and "every job" in active.text
    assert "Moving <out>" in active.text and "are skipped" in active.text and "by ann" in active.text
    assert len(active.all("time")) == 3 and active.all("button")[0].text == "End"
    assert "22:00 to 06:00, fri, sat in the zone of each job" in nightly.text
    assert "wait for its end" in nightly.text and nightly.all("button")[0].text == "Delete"
    assert nightly.one("a", href="/jobs?tag=billing") and nightly.one("a", href="/jobs/hourly")


def test_a_blackout_is_made(web: FlaskClient, house: House) -> None:
    values = {**ONCE, "policy": "hold", "reason": "Holidays", "tags": "billing, mail", "jobs": ""}
    answer = press(web, NEW, NEW, days="", **values)
    assert answer.status_code == 422
    form = read(web, NEW).one("form", method="post", action=NEW)
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post(NEW, data={**values, "csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendars")
    stored = house.operating.blackouts.get("xmas")
    assert stored.document["tags"] == ["billing", "mail"] and stored.document["policy"] == "hold"
    assert stored.document["timezone"] == "Europe/Berlin" and stored.created_by == "api"
    assert Audit(house.operating.database).list(action="blackout.create").total == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"id": "Not a slug"}, "id"),
        ({"from": "soon"}, "from"),
        ({"to": "later"}, "to"),
        ({"start": "25:00"}, "start"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"reason": "x" * 201}, "reason"),
        ({"policy": "explode"}, "policy"),
    ],
)
def test_mistakes_stand_beside_their_field_and_what_was_typed_stays(
    web: FlaskClient, house: House, values: dict[str, str], field: str
) -> None:
    form = read(web, NEW).one("form", method="post", action=NEW)
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post(NEW, data={**ONCE, "jobs": "a, b", "csrf_token": token, **values})
    page = Page(answer.text).root
    assert answer.status_code == 422 and page.one(id=field).attributes["aria-invalid"] == "true"
    assert page.one("span", id=f"{field}-note", **{"class": "fault"}).text
    assert page.one("input", id="jobs").attributes["value"] == "a, b"
    assert house.operating.blackouts.list().total == 0


def test_half_a_window_is_refused_in_a_sentence(web: FlaskClient) -> None:
    form = read(web, NEW).one("form", method="post", action=NEW)
    token = form.one("input", name="csrf_token").attributes["value"]
    for values, said in (
        ({}, "give from and to, or start and end"),
        ({"from": "2026-12-24"}, "needs both from and to"),
        ({"days": ["sat"]}, "needs both start and end"),
    ):
        answer = web.post(NEW, data={"id": "half", "policy": "skip", "csrf_token": token, **values})
        assert answer.status_code == 422
        page = Page(answer.text).root
        assert said in page.one("p", **{"class": "lead notice bad"}).text
        taken = [one for one in page.all("input", name="days") if "checked" in one.attributes]
        assert len(taken) == len(values.get("days", ()))


def test_a_name_is_given_once(web: FlaskClient, add: Add) -> None:
    add(**ONCE)
    form = read(web, NEW).one("form", method="post", action=NEW)
    token = form.one("input", name="csrf_token").attributes["value"]
    answer = web.post(NEW, data={**ONCE, "policy": "skip", "csrf_token": token})
    assert answer.status_code == 409 and "exists already" in answer.text


def edit(web: FlaskClient, blackout_id: str) -> dict[str, list[str]]:
    """What the filled-in form would send."""
    path = f"/blackouts/{blackout_id}/edit"
    form = read(web, path).one("form", method="post", action=path)
    chosen = [one for one in form.one("select", name="policy").all("option") if "selected" in one.attributes]
    sent = {"policy": [one.attributes["value"] for one in chosen]}
    for one in form.all("input"):
        if one.attributes.get("type") != "checkbox" or "checked" in one.attributes:
            sent.setdefault(one.attributes["name"], []).append(one.attributes["value"])
    return sent


@pytest.mark.parametrize(
    "fields", [ONCE, {**NIGHTLY, "tags": ["a", "b"], "policy": "hold", "timezone": None}]
)
def test_a_form_sent_as_it_was_shown_changes_nothing(
    web: FlaskClient, house: House, add: Add, fields: dict[str, str]
) -> None:
    before = add(**fields).document
    path = f"/blackouts/{fields['id']}/edit"
    assert web.post(path, data=edit(web, fields["id"])).status_code == 303
    assert house.operating.blackouts.get(fields["id"]).document == before


def test_a_blackout_is_changed_unless_somebody_else_did(web: FlaskClient, house: House, add: Add) -> None:
    add(**NIGHTLY)
    sent = edit(web, "night")
    assert web.post("/blackouts/night/edit", data={**sent, "end": "07:00"}).status_code == 303
    assert house.operating.blackouts.get("night").document["end"] == "07:00:00"
    answer = web.post("/blackouts/night/edit", data={**sent, "end": "08:00"})
    assert (
        answer.status_code == 409
        and Page(answer.text).root.one("input", id="end").attributes["value"] == "08:00"
    )
    assert house.operating.blackouts.get("night").document["end"] == "07:00:00"


def test_a_blackout_is_ended(web: FlaskClient, house: House, add: Add) -> None:
    add(**ONCE)
    assert press(web, "/calendars", "/blackouts/xmas/delete").status_code == 303
    assert house.operating.blackouts.list().total == 0
    assert Audit(house.operating.database).list(action="blackout.delete").total == 1
    assert "xmas holds no more" in read(web, "/calendars").one(id="toasts").text


def test_forged_forms_change_nothing(web: FlaskClient, house: House, add: Add) -> None:
    add(**ONCE)
    for path in (NEW, "/blackouts/xmas/edit", "/blackouts/xmas/delete"):
        assert web.post(path, data=NIGHTLY).status_code == 403
    assert [one.document["id"] for one in house.operating.blackouts.list().items] == ["xmas"]


@pytest.mark.parametrize("blackout_id", ["nobody", "No Name"])
def test_a_blackout_nobody_made_is_not_found(web: FlaskClient, blackout_id: str) -> None:
    assert web.get(f"/blackouts/{blackout_id}/edit").status_code == 404
