"""What the pages count, for programs."""

from typing import Any

import pytest
from flask.testing import FlaskClient


def test_the_house_at_a_glance(web: FlaskClient) -> None:
    seen = web.get("/api/v1/overview?hours=5").json or {}
    assert seen["jobs"] == {"active": 1} and seen["leader"] is None
    assert seen["processes"] == {"alive": 2} and seen["open_alerts"] == 3
    (hour,) = seen["hours"]
    assert hour == {"start": "2026-03-01T12:00:00Z", "fired": 5, "skipped": 0, "missed": 0, "failed": 0}


def test_how_a_job_has_fared(web: FlaskClient, hourly: dict[str, Any]) -> None:
    stats = web.get("/api/v1/jobs/hourly/stats?days=3&runs=1").json or {}
    assert stats["job_id"] == "hourly"
    assert [day["states"] for day in stats["days"]] == [{"success": 2}] * 3
    (run,) = stats["runs"]
    assert (run["state"], run["duration_ms"], run["at"]) == ("success", 2000.0, "2026-03-01T12:00:00Z")


def test_a_job_that_is_not_there_has_no_numbers(web: FlaskClient) -> None:
    assert web.get("/api/v1/jobs/none/stats").status_code == 404


@pytest.mark.parametrize(
    "route",
    [
        "overview?hours=0",
        "overview?hours=169",
        "overview?hours=x",
        "jobs/hourly/stats?days=367",
        "jobs/hourly/stats?runs=0",
    ],
)
def test_bounds_are_kept(web: FlaskClient, hourly: dict[str, Any], route: str) -> None:
    assert web.get(f"/api/v1/{route}").status_code == 422
