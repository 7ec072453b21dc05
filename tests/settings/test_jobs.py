"""Jobs of files are laid over each other by id, and every field remembers where it was written."""

from pathlib import Path
from typing import Any

import pytest

from cronzimus.settings.files import read
from cronzimus.settings.jobs import FileJob
from tests.fixtures.project import Project

BASE = """
    jobs:
      nightly:
        kind: shell
        params: {command: [backup, --all], cwd: /srv}
        trigger:
          type: interval
          seconds: 60
        tags: [a, b]
      hourly:
        kind: http
        params: {url: "https://h/x"}
        trigger: {type: cron, expression: "0 * * * *"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def jobs(project: Project, overlay: str = "", **more: Any) -> dict[str, FileJob]:
    if overlay:
        project.write("config/development/jobs.yaml", overlay)
    return {job.id: job for job in project.load(**more).jobs}


def test_jobs_are_read_in_file_order_with_their_lines(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    found = project.load().jobs
    assert [(job.id, job.origin) for job in found] == [
        ("nightly", "config/base/jobs.yaml:2"),
        ("hourly", "config/base/jobs.yaml:9"),
    ]
    assert found[1].document == {
        "id": "hourly",
        "kind": "http",
        "params": {"url": "https://h/x"},
        "trigger": {"type": "cron", "expression": "0 * * * *"},
    }


def test_jobs_are_not_validated_here(project: Project) -> None:
    project.write("config/base/jobs.yaml", "jobs: {'Bad Id!': {kind: nonsense, extra: [1]}}")
    assert jobs(project)["Bad Id!"].document == {"id": "Bad Id!", "kind": "nonsense", "extra": [1]}


def test_where_finds_the_line_of_a_field_or_of_what_is_around_it(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    job = jobs(project)["nightly"]
    assert job.where("trigger.seconds") == "config/base/jobs.yaml:7"
    assert job.where("trigger.minutes") == "config/base/jobs.yaml:5"
    assert job.where("params.command.1") == "config/base/jobs.yaml:4"
    assert job.where("gone") == job.where("") == "config/base/jobs.yaml:2"


def test_a_list_of_jobs_with_ids_works_as_well(project: Project) -> None:
    project.write("config/base/jobs.yaml", "jobs:\n  - {id: a, kind: sql}\n  - id: b\n    kind: http\n")
    found = jobs(project)
    assert found["a"].document == {"id": "a", "kind": "sql"}
    assert found["b"].where("kind") == "config/base/jobs.yaml:4"


def test_toml_works_as_well(project: Project) -> None:
    project.write("config/base/jobs.toml", '[jobs.a]\nkind = "sql"\n[jobs.a.trigger]\ntype = "manual"\n')
    job = jobs(project)["a"]
    assert job.document == {"id": "a", "kind": "sql", "trigger": {"type": "manual"}}
    assert job.where("trigger") == "config/base/jobs.toml"


def test_overlay_changes_single_fields_and_their_places(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    job = jobs(project, "jobs:\n  nightly:\n    trigger: {seconds: 5}\n    tags: [c]\n")["nightly"]
    assert job.document["trigger"] == {"type": "interval", "seconds": 5}
    assert job.document["tags"] == ["c"]
    assert job.document["params"] == {"command": ["backup", "--all"], "cwd": "/srv"}
    assert job.where("trigger.seconds") == "config/development/jobs.yaml:3"
    assert job.where("trigger.type") == "config/base/jobs.yaml:6"


def test_overlay_of_a_list_onto_a_mapping_goes_by_id(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    found = jobs(project, "jobs: [{id: nightly, priority: 5}, {id: new, kind: sql}]")
    assert found["nightly"].document["priority"] == 5
    assert found["nightly"].document["kind"] == "shell"
    assert list(found) == ["nightly", "hourly", "new"]


def test_overlay_with_another_trigger_type_keeps_nothing_of_the_former(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    found = jobs(project, "jobs: {nightly: {trigger: {type: cron, expression: '@daily'}}}")
    assert found["nightly"].document["trigger"] == {"type": "cron", "expression": "@daily"}


def test_overlay_with_another_kind_drops_the_former_parameters(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    found = jobs(project, "jobs: {nightly: {kind: sql, params: {statement: 'SELECT 1'}}}")
    assert found["nightly"].document["params"] == {"statement": "SELECT 1"}


def test_overlay_null_takes_a_job_away(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    assert list(jobs(project, "jobs: {nightly: null}")) == ["hourly"]


def test_overlay_of_another_environment_is_not_read(project: Project) -> None:
    project.write("config/base/jobs.yaml", BASE)
    project.write("config/production/jobs.yaml", "jobs: {nightly: null}")
    assert list(jobs(project)) == ["nightly", "hourly"]
    assert list(jobs(project, environment="production")) == ["hourly"]


def test_references_are_replaced_inside_jobs(project: Project) -> None:
    project.set(TENANT="acme")
    project.write(
        "config/base/jobs.yaml", "jobs: {a: {params: {url: 'https://h/${TENANT}', x: ['$${HOME}']}}}"
    )
    assert jobs(project)["a"].document["params"] == {"url": "https://h/acme", "x": ["${HOME}"]}


def test_a_section_of_jobs_that_is_all_comments_is_empty(project: Project) -> None:
    project.write("config/base/jobs.yaml", "jobs:\n  # a: {kind: sql}\n")
    assert jobs(project) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jobs: 5", "jobs: expected a mapping of id to job, or a list of jobs with ids (from {}:1)"),
        ("jobs:\n  a: 5", "jobs.a: expected a job: a mapping with kind, params and trigger (from {}:2)"),
        ("jobs:\n  a: ~", "jobs.a: expected a job: a mapping with kind, params and trigger (from {}:2)"),
        ("jobs:\n  a: {id: b}", "jobs.a: the id inside, 'b', differs (from {}:2)"),
        ("jobs:\n  - kind: sql", "jobs.0: expected a job with an id that is text (from {}:2)"),
        ("jobs:\n  - id: 5", "jobs.0: expected a job with an id that is text (from {}:2)"),
        ("jobs:\n  - id: a\n  - id: a", "jobs.a: appears twice, first at {}:2 (from {}:3)"),
        ("jobs:\n  a: {kind: 'x${GONE}'}", "jobs.a: environment variable GONE is not set; set it or write"),
    ],
)
def test_jobs_that_cannot_be_read_are_named(project: Project, text: str, sentence: str) -> None:
    project.write("config/base/jobs.yaml", text)
    (fault,) = project.faults()
    assert fault.startswith(sentence.replace("{}", "config/base/jobs.yaml"))


def test_every_bad_job_is_named_at_once(project: Project) -> None:
    project.write("config/base/jobs.yaml", "jobs: {a: 5, b: 6, c: {}}")
    assert len(project.faults()) == 2


def test_file_job_stands_alone() -> None:
    assert FileJob("a", {"id": "a"}, "x.yaml:3").where("trigger") == "x.yaml:3"


def test_source_of_jobs_keeps_the_settings_apart(project: Project) -> None:
    project.write("config/base/config.yaml", "jobs: {a: {kind: sql}}\nserver: {port: 1}\n")
    assert read(Path("config/base/config.yaml")).data["jobs"] == {"a": {"kind": "sql"}}
    tree = project.load()
    assert (tree.server.port, [job.id for job in tree.jobs]) == (1, ["a"])
