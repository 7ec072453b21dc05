"""The ledger over REST."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.models.firing import Decision, Reason
from tests.api.fakes import NOW, FakeHouse, a_firing

FIRINGS = "/api/v1/firings"


def test_list_tells_all_of_a_row(web: FlaskClient, fake: FakeHouse) -> None:
    row = a_firing(decision=Decision.SKIPPED, reason=Reason.PAUSED, run_id=None, instants=7)
    fake.history.ledger.append(row)
    answer = web.get(FIRINGS)
    assert answer.json == {
        "items": [
            {
                "job_id": "hourly",
                "due_at": "2026-03-01T12:00:00Z",
                "first_due_at": "2026-03-01T12:00:00Z",
                "instants": 7,
                "decision": "skipped",
                "reason": "paused",
                "run_id": None,
                "epoch": 3,
                "decided_by": "replica",
                "decided_at": "2026-03-01T12:00:00Z",
                "job_version": 1,
                "note": None,
            }
        ],
        "total": 1,
        "limit": 50,
        "offset": 0,
    }


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("job_id=hourly", {"job_id": "hourly"}),
        ("decision=missed", {"decision": Decision.MISSED}),
        ("reason=overlap", {"reason": Reason.OVERLAP}),
        ("since=2026-03-01T12:00:00Z&until=2026-03-01T12:00:00", {"since": NOW, "until": NOW}),
    ],
)
def test_list_asks_for_what_was_filtered(
    web: FlaskClient, fake: FakeHouse, query: str, asked: dict[str, Any]
) -> None:
    assert web.get(f"{FIRINGS}?{query}").status_code == 200
    assert {name: value for name, value in fake.history.asked.items() if value is not None} == asked


@pytest.mark.parametrize("query", ["decision=perhaps", "reason=why", "state=failed", "limit=500", "since=x"])
def test_list_refuses(web: FlaskClient, query: str) -> None:
    assert web.get(f"{FIRINGS}?{query}").status_code == 422


def test_list_pages(web: FlaskClient, fake: FakeHouse) -> None:
    fake.history.ledger += [a_firing() for _ in range(3)]
    answer = web.get(f"{FIRINGS}?limit=2&decision=fired")
    assert answer.json is not None and (len(answer.json["items"]), answer.json["total"]) == (2, 3)
    assert answer.headers["Link"] == f'<{FIRINGS}?decision=fired&limit=2&offset=2>; rel="next"'
