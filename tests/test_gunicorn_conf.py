"""gunicorn's settings follow ours."""

import importlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import values

from cronzimus import gunicorn_conf
from cronzimus.common.metrics import FOLDER_VARIABLE


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


@pytest.mark.usefixtures("in_an_empty_folder")
def test_processes_count_together_in_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    conf = importlib.reload(gunicorn_conf)
    conf.on_starting(None)
    folder = Path(os.environ[FOLDER_VARIABLE])
    (folder / "gauge_livesum_77.db").touch()
    (folder / "counter_77.db").touch()
    conf.child_exit(None, SimpleNamespace(pid=77))
    assert [path.name for path in folder.iterdir()] == ["counter_77.db"]
    conf.on_exit(None)
    assert not folder.exists()


@pytest.mark.usefixtures("in_an_empty_folder")
def test_folder_of_the_operator_is_emptied_of_counts_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "notes.txt").touch()
    conf = importlib.reload(gunicorn_conf)
    conf.on_starting(None)
    conf.on_exit(None)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.usefixtures("in_an_empty_folder")
def test_nothing_is_counted_together_without_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    monkeypatch.setenv("CRONZIMUS_TELEMETRY__METRICS_ENABLED", "false")
    conf = importlib.reload(gunicorn_conf)
    conf.on_starting(None)
    assert not os.environ[FOLDER_VARIABLE]
    conf.on_exit(None)
