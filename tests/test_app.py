"""The Flask app: on paper, lived in, and refused."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cronzimus.app import _before_sigterm, create_app, house_of
from cronzimus.errors import ConfigError
from cronzimus.jobs.job_factory import JobFactory
from cronzimus.settings import Settings
from tests.heart import until
from tests.test_house import settings_for


@pytest.fixture
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process's own SIGTERM alone."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def lived_in(database_url: str, no_signals: None) -> Iterator[Any]:
    """An app with its house on a real database."""
    job = JobFactory.create_job("cronzimus.controller.task:task", "interval", {"seconds": 1}, "each-second")
    app = create_app(settings=settings_for(database_url), jobs=[job])
    yield app
    house_of(app).stop()


def test_app_on_paper_has_every_route_and_no_database() -> None:
    app = create_app(settings=Settings.assembled({}), start=False)
    client = app.test_client()
    assert client.get("/api/health").json == {"status": "running"}
    assert client.get("/readyz").status_code == 503
    answer = client.get("/api/v1/jobs")
    assert (
        answer.status_code == 503
        and answer.json is not None
        and answer.json["code"] == "DATABASE_UNAVAILABLE"
    )


def test_lived_in_app_lists_and_fires_what_code_declared(lived_in: Any) -> None:
    client = lived_in.test_client()
    assert [job["id"] for job in client.get("/api/v1/jobs").json["items"]] == ["each-second"]
    assert [job["id"] for job in client.get("/scheduler/jobs").json] == ["each-second"]
    until(lambda: client.get("/api/v1/runs?state=success").json["total"] >= 1)
    until(lambda: client.get("/readyz").status_code == 200)
    assert lived_in.apscheduler is house_of(lived_in).scheduler


def test_open_house_in_production_is_refused(database_url: str, no_signals: None) -> None:
    settings = Settings.assembled({"environment": "production", "database": {"url": database_url}})
    with pytest.raises(ConfigError, match="CRONZIMUS_API_TOKEN"):
        create_app(settings=settings)


def test_sigterm_hands_over_and_then_does_what_the_host_does(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {signal.SIGTERM: lambda number, frame: hosted.append(number)}
    hosted: list[int] = []
    drained = threading.Event()
    monkeypatch.setattr(signal, "getsignal", handlers.get)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    _before_sigterm(drained.set)
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert drained.wait(5) and hosted == [signal.SIGTERM]


def test_default_sigterm_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[Any] = []
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    monkeypatch.setattr(signal, "signal", lambda *change: changed.append(change))
    _before_sigterm(lambda: None)
    assert changed == []
