"""The whole command line: what every command has, says and costs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cronzimus.cli import main
from cronzimus.cli.failures import MEANINGS
from cronzimus.version import version
from tests.cli.line import Line, leaves
from tests.fixtures.project import Project
from tests.house.tree import ROOT

LEAVES = {" ".join(path): command for path, command in leaves()}
HEAVY = (
    "alembic",
    "flask",
    "psycopg",
    "sqlalchemy",
    "apscheduler",
    "rich",
    "httpx2",
    "dynaconf",
    "pydantic",
    "ruamel",
)
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def python(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **variables}
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, timeout=60, env=environment, encoding=encoding)


def loaded_by(*words: str) -> set[str]:
    """The heavy libraries that a command loads."""
    code = (
        "import sys\nfrom cronzimus.cli import main\n"
        f"try: main({list(words)!r})\nexcept SystemExit: pass\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    return set(python("-c", code).stderr.splitlines()[-1].split())


def test_commands_are_these() -> None:
    assert set(LEAVES) == {
        "serve",
        *(
            f"jobs {verb}"
            for verb in "list show add update pause resume run remove versions diff restore preview".split()
        ),
        *(f"runs {verb}" for verb in "list show cancel retry wait logs".split()),
        *("plan", "apply", "export", "drift", "config reload"),
        *(f"import {what}" for what in "crontab celery kubernetes apscheduler".split()),
        *(f"alerts {verb}" for verb in "list show ack silence rules set-rule remove-rule".split()),
        *(f"alerts {verb}" for verb in "channels test outbox".split()),
        "audit list",
        *(f"users {verb}" for verb in "add list role password disable enable remove".split()),
        *(f"tokens {verb}" for verb in "make list revoke".split()),
        "logs",
        "firings list",
        *(f"worker {verb}" for verb in "start list show drain".split()),
        "workflow rerun",
        "workflow show",
        *(f"calendars {verb}" for verb in "list show days add refresh remove".split()),
        *(f"blackouts {verb}" for verb in "list show add remove".split()),
        *(f"queue {verb}" for verb in "list pause resume drain".split()),
        *(f"pool {verb}" for verb in "list set delete".split()),
        *(f"backfill {verb}" for verb in "start list show pause resume cancel".split()),
        "why",
        "verify",
        "next",
        *(f"db {verb}" for verb in "upgrade downgrade current history revision".split()),
        "config show",
        "config check",
        "version",
    }


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_prints_json_when_asked(path: str) -> None:
    options = {name for parameter in LEAVES[path].params for name in parameter.opts}
    assert {"-o", "--output", "--json", "--debug"} <= options


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_is_documented(path: str) -> None:
    assert f"`cronzimus {path}" in PAGE
    own = [parameter.opts[-1] for parameter in LEAVES[path].params if isinstance(parameter, click.Option)]
    assert [name for name in own if name not in PAGE] == []


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_explains_itself(line: Line, path: str) -> None:
    text = line.out(*path.split(), "--help")
    assert LEAVES[path].get_short_help_str() and "Exit codes:" in text
    options = [parameter for parameter in LEAVES[path].params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("code", MEANINGS)
def test_exit_codes_are_documented(line: Line, code: int) -> None:
    assert re.search(rf"^ +{code}  ", line.out("--help"), re.MULTILINE)
    assert f"| {code} |" in PAGE


@pytest.mark.parametrize("name", ["CRONZIMUS_URL", "CRONZIMUS_TOKEN", "CRONZIMUS_TOKEN_FILE", "NO_COLOR"])
def test_variables_are_documented(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_help_tells_every_noun(line: Line) -> None:
    text = line.out("--help")
    assert all(re.search(rf"^  {name} ", text, re.MULTILINE) for name in main.commands)


@pytest.mark.parametrize("name", list(main.commands))
def test_summaries_are_those_of_the_commands(name: str) -> None:
    assert main.late.summary(name) == main.commands[name].get_short_help_str(limit=200)


def test_version_is_the_same_everywhere(line: Line) -> None:
    assert line.out("--version") == line.out("version") == f"cronzimus {version()}\n"
    assert line.json("version")["version"] == version()


def test_without_a_command_help_is_shown(line: Line) -> None:
    result = line()
    assert result.exit_code == 2 and "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["job", "list"], "no such command 'job'. Did you mean 'jobs'?"),
        (["jobs", "lst"], "no such command 'lst'. Did you mean 'list'?"),
        (["runs", "list", "--sttae", "x"], "no such option '--sttae'. Did you mean '--state'?"),
        (["--debgu"], "no such option '--debgu'. Did you mean '--debug'?"),
    ],
)
def test_a_slip_of_the_pen_gets_a_hint(line: Line, words: list[str], hint: str) -> None:
    complaint = line.complaint(*words, code=2)
    assert complaint.startswith(f"cronzimus: {hint} (see 'cronzimus") and complaint.count("\n") == 1


@pytest.mark.parametrize("words", [["version"], ["--version"], ["--help"], ["vresion"]])
def test_light_commands_load_nothing_heavy(words: list[str]) -> None:
    assert loaded_by(*words) == set()


@pytest.mark.parametrize("words", [["jobs", "list"], ["why", "x"], ["runs", "list"]])
def test_remote_commands_load_no_service(words: list[str]) -> None:
    loaded = loaded_by(*words, "--url", "http://127.0.0.1:9")
    assert not loaded & {"alembic", "flask", "psycopg", "apscheduler", "dynaconf", "rich"}


def test_preview_needs_no_service_and_no_database() -> None:
    assert not loaded_by("next", "--cron", "@daily") & {
        "alembic",
        "flask",
        "psycopg",
        "apscheduler",
        "httpx2",
    }


def test_module_is_the_command() -> None:
    done = python("-m", "cronzimus", "version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"cronzimus {version()}\n", "")


def test_script_is_the_command() -> None:
    script = Path(sys.executable).with_name("cronzimus")
    done = subprocess.run([script, "jobs", "fly"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("cronzimus: no such command 'fly'")


def test_a_reader_that_leaves_is_no_failure_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cronzimus", "next", "--every", "1s", "-n", "5000"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert done.stderr == "" and done.returncode == 1


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "日本"), ("latin-1", "\\u65e5\\u672c")])
def test_every_character_can_be_printed(encoding: str, shown: str, project: Project) -> None:
    trigger = '{"type": "interval", "seconds": 5, "日本": 1}'
    file = project.write("job.json", f'{{"id": "x", "params": {{"func": "a:b"}}, "trigger": {trigger}}}')
    done = python("-m", "cronzimus", "next", "--file", str(file), "--json", PYTHONIOENCODING=encoding)
    assert done.returncode == 2 and shown in done.stderr
    assert "trigger.日本" in json.loads(done.stdout)["errors"][0]["message"]


def test_completion_knows_the_nouns() -> None:
    words = {"_CRONZIMUS_COMPLETE": "bash_complete", "COMP_WORDS": "cronzimus ve", "COMP_CWORD": "1"}
    script = Path(sys.executable).with_name("cronzimus")
    done = subprocess.run([script], env={**os.environ, **words}, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == ["plain,verify", "plain,version"]
