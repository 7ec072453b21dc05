"""gunicorn's settings follow ours."""

import importlib
from pathlib import Path

import pytest

from cronzimus import gunicorn_conf


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_defaults_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    conf = importlib.reload(gunicorn_conf)
    assert conf.bind == "127.0.0.1:5000" and conf.worker_class == "gthread"
    assert not conf.preload_app and conf.control_socket_disable


@pytest.mark.usefixtures("in_an_empty_folder")
def test_settings_reach_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONZIMUS_SERVER__PORT", "5099")
    monkeypatch.setenv("CRONZIMUS_SERVER__WORKERS", "3")
    monkeypatch.setenv("CRONZIMUS_WORKER__DRAIN_SECONDS", "40")
    conf = importlib.reload(gunicorn_conf)
    assert (conf.bind, conf.workers) == ("127.0.0.1:5099", 3)
    assert conf.graceful_timeout > 40


@pytest.mark.usefixtures("in_an_empty_folder")
def test_stopping_takes_longer_than_draining() -> None:
    conf = importlib.reload(gunicorn_conf)
    assert conf.graceful_timeout >= 25
