"""/metrics: for whom, where, and what it says of the requests themselves."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cronzimus.services.readiness import Readiness
from tests.api.fakes import FakeHouse

TOKENS = {"enabled": True, "tokens": ({"name": "reader", "token": "a-long-enough-token"},)}
BEARER = {"Authorization": "Bearer a-long-enough-token"}


def test_metrics_are_prometheus_text(web: FlaskClient) -> None:
    answer = web.get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=")
    assert "cronzimus_database_up" in answer.text


def test_openmetrics_by_accept(web: FlaskClient) -> None:
    answer = web.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.content_type.startswith("application/openmetrics-text") and answer.text.endswith("# EOF\n")


def test_metrics_want_a_token(build: Callable[..., Flask]) -> None:
    web = build(api={"auth": TOKENS}).test_client()
    assert web.get("/metrics").status_code == 401
    assert web.get("/metrics", headers=BEARER).status_code == 200


def test_metrics_can_be_public(build: Callable[..., Flask]) -> None:
    web = build(api={"auth": TOKENS}, telemetry={"metrics_public": True}).test_client()
    assert web.get("/metrics").status_code == 200
    assert web.get("/api/v1/jobs").status_code == 401


def test_metrics_can_be_off(build: Callable[..., Flask]) -> None:
    assert build(telemetry={"metrics_enabled": False}).test_client().get("/metrics").status_code == 404


def test_metrics_can_be_elsewhere(build: Callable[..., Flask]) -> None:
    web = build(telemetry={"metrics_endpoint": "/internal/metrics"}).test_client()
    assert web.get("/internal/metrics").status_code == 200 and web.get("/metrics").status_code == 404


def test_requests_are_counted_by_route(web: FlaskClient) -> None:
    for job in ("one", "two"):
        web.get(f"/api/v1/jobs/{job}")
    web.get("/no/such/place")
    told = web.get("/metrics").text
    assert 'requests_total{method="GET",route="/api/v1/jobs/<job_id>",status="404"} 2.0' in told
    assert 'requests_total{method="other",route="unmatched",status="404"} 1.0' in told
    assert 'duration_seconds_count{method="GET",route="/api/v1/jobs/<job_id>"} 2.0' in told


def test_refused_requests_are_counted(build: Callable[..., Flask]) -> None:
    web = build(api={"auth": TOKENS}).test_client()
    web.get("/api/v1/jobs")
    told = web.get("/metrics", headers=BEARER).text
    assert 'route="/api/v1/jobs",status="401"} 1.0' in told


@pytest.mark.parametrize(
    ("components", "asks"),
    [
        ({"database": "up", "schema": "ready"}, True),
        ({"database": "down", "schema": "ready"}, False),
        ({"database": "up", "schema": "waiting"}, False),
    ],
)
def test_database_that_does_not_answer_is_not_asked(
    web: FlaskClient, fake: FakeHouse, components: dict[str, str], asks: bool
) -> None:
    fake.readiness.said = Readiness("ok", True, components)
    assert web.get("/metrics").status_code == 200
    assert fake.operating.scrape.asked is asks
