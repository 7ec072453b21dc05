"""`import`: jobs on the output stream, the account on the error stream, and the way onto the timetable."""

import json
import pickle
import shelve
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from cronzimus.common import yaml
from cronzimus.house import House
from cronzimus.settings import Settings
from tests.cli.line import Line
from tests.fixtures.project import Project

CRONTAB = "MAILTO=ops@example.org\n# nightly\n0 2 * * * /usr/bin/backup --all\n#5 2 * * * /usr/bin/old\n"
CRONJOB = {
    "kind": "CronJob",
    "metadata": {"name": "report"},
    "spec": {
        "schedule": "0 3 * * *",
        "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": "i", "command": ["/r"]}]}}}},
    },
}
ENTRY = 'beat_schedule = {"tick": {"task": "shop.tasks.tick", "schedule": 30}}\n'


@pytest.fixture
def real(database_url: str, front: Flask, front_url: str, project: Project) -> Iterator[House]:
    """A house on PostgreSQL in which nothing moves by itself, behind the front."""
    house = House(Settings.model_validate({"scheduler": {"sample_job": False}}), url=database_url)
    front.extensions["cronzimus"] = house
    project.set(CRONZIMUS_URL=front_url)
    yield house
    del front.extensions["cronzimus"]
    house.stop()


def test_a_crontab_becomes_a_file_of_jobs(line: Line) -> None:
    result = line("import", "crontab", "-", given=CRONTAB)
    assert result.exit_code == 0
    jobs = yaml.load(result.stdout).data["jobs"]
    assert jobs["backup"]["params"] == {"command": ["/usr/bin/backup", "--all"]}
    assert result.stderr.splitlines() == [
        "1: variable: MAILTO: nobody is mailed; give the jobs an alert rule",
        "3: job backup",
        "4: disabled: #5 2 * * * /usr/bin/old",
        "1 job, 1 disabled, 1 variable, 1 comment",
    ]


def test_json_holds_the_whole_account(line: Line, project: Project) -> None:
    file = project.write("crontab", CRONTAB)
    answer = line.json("import", "crontab", str(file), "--include-disabled", "--timezone", "Europe/Berlin")
    assert [note["fate"] for note in answer["notes"]] == ["variable", "comment", "job", "paused"]
    assert answer["jobs"]["old"]["paused"] is True and answer["jobs"]["old"]["timezone"] == "Europe/Berlin"
    assert answer["summary"]["paused"] == 1


def test_what_is_refused_ends_with_1(line: Line) -> None:
    result = line("import", "crontab", "-", given="61 * * * * /a\n0 1 * * * /b\n")
    assert result.exit_code == 1 and "1: refused: trigger.expression: minute" in result.stderr
    assert list(yaml.load(result.stdout).data["jobs"]) == ["b"]


def test_what_cannot_be_read_is_wrong_input(line: Line, project: Project) -> None:
    assert "cannot be read" in line.complaint("import", "crontab", "gone", code=2)
    assert "unknown time zone" in line.complaint(
        "import", "crontab", "-", "--timezone", "X", code=2, given=""
    )
    bad = project.write("bad.py", "beat_schedule = {")
    assert "bad.py:1: not Python" in line.complaint("import", "celery", bad, code=2)
    other = project.write("other.json", "[]")
    assert "no dump of django_celery_beat" in line.complaint("import", "celery", other, code=2)


def test_imported_jobs_are_planned_and_applied(line: Line, real: House, project: Project) -> None:
    file = project.write("crontab", CRONTAB)
    planned = line("import", "crontab", file, "--plan")
    assert "create backup" in planned.stdout and "jobs:" not in planned.stdout
    assert real.timetable.list().items == ()
    assert "say --yes" in line("import", "crontab", file, "--apply").stderr
    done = line("import", "crontab", file, "--include-disabled", "--apply", "--yes")
    assert done.exit_code == 0 and "applied: 2 created, 0 changed" in done.stderr
    assert [(job.id, job.status) for job in real.timetable.list().items] == [
        ("backup", "active"),
        ("old", "paused"),
    ]
    again = line("import", "crontab", file, "--include-disabled", "--plan", "--json")
    assert json.loads(again.stdout)["summary"]["unchanged"] == 2


def test_an_imported_file_is_one_for_plan(line: Line, real: House, project: Project) -> None:
    file = project.write("crontab", CRONTAB)
    out = project.root / "jobs.yaml"
    assert yaml.load(line.out("import", "crontab", file, "--out", out) or out.read_text()).data
    assert "1 create" in line.out("plan", out)


def test_cronjobs_from_several_files(line: Line, project: Project) -> None:
    one = project.write("one.yaml", f"{json.dumps(CRONJOB)}\n---\nkind: Service\n")
    two = project.write("two.json", json.dumps({"kind": "List", "items": [CRONJOB]}))
    result = line("import", "kubernetes", one, two)
    assert result.exit_code == 1 and list(yaml.load(result.stdout).data["jobs"]) == ["report", "report-2"]
    assert "one.yaml:3: refused: a Service is no CronJob" in result.stderr


def test_celery_entries_and_dumps(line: Line, project: Project) -> None:
    config = project.write("celeryconfig.py", ENTRY)
    assert line.json("import", "celery", str(config))["jobs"]["tick"]["trigger"]["seconds"] == 30
    rows = [
        {
            "model": "django_celery_beat.intervalschedule",
            "pk": 1,
            "fields": {"every": 5, "period": "minutes"},
        },
        {
            "model": "django_celery_beat.periodictask",
            "pk": 1,
            "fields": {"name": "t", "task": "m.f", "interval": 1},
        },
    ]
    dump = project.write("dump.json", json.dumps(rows))
    assert line.json("import", "celery", str(dump))["jobs"]["t"]["trigger"]["minutes"] == 5


def test_the_schedule_file_of_beat_is_refused(line: Line, project: Project) -> None:
    with shelve.open(str(project.root / "celerybeat-schedule")) as opened:
        opened["entries"] = {"a": 1}
    (written,) = [
        path
        for path in project.root.iterdir()
        if path.name.startswith("celerybeat") and path.suffix != ".dir" and path.suffix != ".bak"
    ]
    said = line("import", "celery", written)
    assert said.exit_code == 2 and said.stdout == ""
    assert "holds pickles" in said.stderr or "not UTF-8" in said.stderr


def test_a_store_with_a_tampered_row(line: Line, tmp_path: Path) -> None:
    path, marker = tmp_path / "jobs.sqlite", tmp_path / "owned"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE apscheduler_jobs (id text, next_run_time float, job_state blob)")
        evil = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
        rows = [("evil", 1.0, evil), ("odd", 1.0, pickle.dumps({"func": "a:b"}))]
        connection.executemany("INSERT INTO apscheduler_jobs VALUES (?, ?, ?)", rows)
        connection.commit()
    result = line("import", "apscheduler", path)
    assert result.exit_code == 1 and not marker.exists()
    assert "evil: refused: it names os.system" in result.stderr and "odd: refused" in result.stderr
