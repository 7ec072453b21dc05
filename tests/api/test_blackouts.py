"""Blackouts over HTTP."""

from typing import Any

from flask.testing import FlaskClient

ROUTE = "/api/v1/blackouts"


def add(web: FlaskClient, **fields: Any) -> Any:
    return web.post(
        ROUTE, json={"id": "freeze", "from": "2026-12-20", "to": "2027-01-02", "tags": ["db"], **fields}
    )


def test_blackout_is_made_read_changed_and_removed(web: FlaskClient) -> None:
    answer = add(web)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{ROUTE}/freeze")
    assert (answer.json["from"][:10], answer.json["policy"], answer.json["timezone"]) == (
        "2026-12-20",
        "skip",
        "UTC",
    )
    assert [one["id"] for one in web.get(ROUTE).json["items"]] == ["freeze"]
    tag = web.get(f"{ROUTE}/freeze").headers["ETag"]
    weekly = {"start": "22:00", "end": "06:00", "days": ["fri"], "policy": "hold"}
    changed = web.put(f"{ROUTE}/freeze", json=weekly, headers={"If-Match": tag})
    assert (changed.json["days"], changed.json["from"]) == (["fri"], None)
    for stale in (
        web.put(f"{ROUTE}/freeze", json=weekly, headers={"If-Match": tag}),
        web.delete(f"{ROUTE}/freeze", headers={"If-Match": tag}),
    ):
        assert (stale.status_code, stale.json["code"]) == (412, "PRECONDITION_FAILED")
    assert web.delete(f"{ROUTE}/freeze").status_code == 204
    assert web.get(f"{ROUTE}/freeze").json["code"] == "BLACKOUT_NOT_FOUND"
    assert web.get(f"{ROUTE}/NO").status_code == 404


def test_faults_are_told(web: FlaskClient) -> None:
    answer = add(web, start="22:00")
    assert answer.status_code == 422 and "give from and to" in answer.json["detail"]
    assert add(web, policy="wait").json["errors"][0]["field"] == "policy"
    assert add(web).status_code == 201 and add(web).json["code"] == "BLACKOUT_EXISTS"
