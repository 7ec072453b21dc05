"""What the values say under `config` becomes the folder that the application reads, and it is sound there."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cronzimus.common import yaml
from tests.cli.line import Line
from tests.deployment.chart import ENGINES, INSTALLATIONS, installed, render
from tests.deployment.chart_checks import containers, of_kind, pods
from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty folder to work in, and what the check adds to the search path is taken away again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    return Project(tmp_path, monkeypatch)


def mounted(project: Project, objects: list[dict[str, Any]], pod: str) -> None:
    """The folder and the variables as a container of that name gets them."""
    (config,) = of_kind(objects, "ConfigMap")
    for name, text in config["data"].items():
        (project.root / name).write_text(text, encoding="utf-8")
    secret = project.root.parent / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "database-url").write_text("postgresql://cron@db.example.org/cron", encoding="utf-8")
    (secret / "api-token").write_text("of-sixteen-letters", encoding="utf-8")
    (secret / "jobs").mkdir(exist_ok=True)
    for _, _, template in pods(objects):
        for container in containers(template):
            if container["name"] == pod:
                for variable in container["env"]:
                    value = variable["value"].replace("/run/secrets/cronzimus", str(secret))
                    value = value.replace("/run/secrets/jobs", str(secret / "jobs"))
                    project.set(**{variable["name"]: value.replace("/app/config", str(project.root))})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "pod"),
    [*((name, "web") for name in INSTALLATIONS), ("default", "worker"), ("everything", "worker")],
)
def test_the_folder_is_sound(project: Project, pod: str, name: str, engine: str) -> None:
    mounted(project, installed(name, engine), pod)
    verdict = Line().json("config", "check")
    jobs = len(INSTALLATIONS[name].get("config", {}).get("jobs.yaml", {}).get("jobs", {}))
    environment = INSTALLATIONS[name].get("environment", "production")
    assert (verdict["ok"], verdict["environment"], verdict["jobs"]) == (True, environment, jobs)
    without_token = [warning for warning in verdict["warnings"] if "the service will not start" in warning]
    # Only the web pods ask who comes in, so only they hold the token.
    assert verdict["warnings"] == (without_token if pod == "worker" else [])


def test_settings_arrive(project: Project) -> None:
    mounted(project, installed("everything"), "web")
    settings = project.load()
    assert settings.scheduler.timezone == "Europe/Berlin" and settings.history.log_bytes == 10485760
    assert settings.worker.allowed_commands == ("/usr/local/bin/backup",)
    assert settings.logging.format == "json" and settings.server.trusted_proxies == 1
    assert settings.listen == ("0.0.0.0", 5000) and settings.database.auto_migrate is False
    (job,) = settings.jobs
    assert (job.id, job.document["params"]["url"]) == ("enrich", "https://shop.example.org/NO")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"a": "NO", "b": "22:30", "c": 1048576, "d": 0.5, "e": "1e3"}, None),
        ("  indented: first\nplain: 1\n", "  indented: first\nplain: 1\n"),
        ("# {{ .Values.image }} stays as it is\n", "# {{ .Values.image }} stays as it is\n"),
        ("no: newline", "no: newline"),
        ("", ""),
    ],
)
def test_what_is_written_arrives_unchanged(content: Any, text: str | None, engine: str) -> None:
    values = {"config": {"database.yaml": content, "config.yaml": "app: {name: Shop}"}}
    (config,) = of_kind(render(engine, values), "ConfigMap")
    assert config["data"]["config.yaml"] == "app: {name: Shop}"
    found = config["data"]["database.yaml"]
    assert found == text if text is not None else yaml.load(found).data == content


def test_a_fault_names_file_and_line(project: Project) -> None:
    objects = render("library", {"config": {"config.yaml": {"server": {"prot": 1}}}})
    mounted(project, objects, "web")
    result = Line()("config", "check")
    assert result.exit_code == 78 and "server.prot: unknown key" in result.stdout
    assert "config.yaml:4)" in result.stdout
