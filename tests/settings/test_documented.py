"""The documentation, the example of `.env` and the shipped tree say what the settings tree says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import Secret

from cronzimus.settings.keys import Key, keys, outside_development
from tests.fixtures.project import Project

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
# The environment is chosen by a variable or a flag, so it has no row and no CRONZIMUS_… name of its own.
SETTABLE = {path: key for path, key in keys().items() if path != "environment"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def cell(value: Any) -> str:
    if value is None:
        return "unset"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def row(key: Key) -> str:
    differs, elsewhere = outside_development(key.path)
    default = "required" if key.required else cell(key.default)
    default += f", elsewhere {cell(elsewhere)}" if differs else ""
    return f"| `{key.path}` | {key.expected} | {default} | {key.description} |"


@pytest.mark.parametrize("path", SETTABLE)
def test_document_has_the_row_of_every_key(path: str) -> None:
    assert row(SETTABLE[path]) in DOCUMENT.splitlines()


def test_document_knows_no_key_that_does_not_exist() -> None:
    documented = re.findall(r"^\| `([a-z0-9_\[\].]+)` \|", DOCUMENT, flags=re.MULTILINE)
    assert documented == list(SETTABLE)


def test_document_explains_the_environment() -> None:
    assert "`environment`" in DOCUMENT


def test_document_names_no_variable_that_does_nothing() -> None:
    named = set(re.findall(r"CRONZIMUS_(?:[A-Z_]*__[A-Z_]+)", DOCUMENT))
    known = {variable(path) for path in SETTABLE}
    assert named and named <= known


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL))
def test_document_examples_in_yaml_load(project: Project, block: str) -> None:
    project.set(DASHBOARD_TOKEN="a-long-enough-token")
    project.write("config/base/config.yaml", block)
    assert project.load().warnings == ()


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCUMENT, flags=re.DOTALL))
def test_document_examples_in_toml_load(project: Project, block: str) -> None:
    project.write("config/base/config.toml", block)
    project.load()


def variable(path: str) -> str:
    return "CRONZIMUS_" + path.upper().replace(".", "__")


def example_variables() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def test_example_has_every_variable() -> None:
    expected = {variable(path) for path in SETTABLE if "[]" not in path}
    expected |= {"DATABASE_URL", "DATABASE_URL_FILE", "LOG_LEVEL", "CRONZIMUS_ENV", "CRONZIMUS_CONFIG_PATH"}
    expected |= {"CRONZIMUS_API_TOKEN", "CRONZIMUS_API_TOKEN_FILE", "DB_PASSWORD", "NO_COLOR"}
    assert set(example_variables()) == expected


def test_example_explains_every_variable() -> None:
    lines = EXAMPLE.splitlines()
    unexplained = [
        line
        for above, line in zip(lines, lines[1:], strict=False)
        if re.match(r"#?[A-Z_]+=", line) and not above.startswith("# ")
    ]
    assert unexplained == []


def test_example_holds_no_secret() -> None:
    filled = {name for name, value in example_variables().items() if value}
    assert not {name for name in filled if re.search("TOKEN|PASSWORD|URL$|_FILE$", name)} - {
        "CRONZIMUS_API__DOCS_URL",
        "CRONZIMUS_MESSAGE_QUEUE__URL",
    }


def test_example_copied_as_it_is_starts(project: Project) -> None:
    project.write(".env", EXAMPLE)
    settings = project.load()
    assert (settings.environment, settings.warnings) == ("development", ())


def test_example_with_every_line_uncommented_gives_the_defaults(project: Project) -> None:
    project.write(".env", re.sub(r"^#(?=[A-Z])", "", EXAMPLE, flags=re.MULTILINE))
    settings = project.load()
    assert settings.warnings == ()
    for path, key in SETTABLE.items():
        if "[]" not in path:
            section, _, name = path.rpartition(".")
            assert value_at(settings, section, name) == key.default


def value_at(settings: Any, section: str, name: str) -> Any:
    for part in section.split("."):
        settings = getattr(settings, part)
    value = getattr(settings, name)
    return str(value) if isinstance(value, Secret) else value


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_shipped_tree_loads_without_a_warning(project: Project, environment: str) -> None:
    settings = project.load(config_path=ROOT / "config", environment=environment)
    assert settings.warnings == ()
    assert settings.jobs == ()
    assert settings.logging.format == ("text" if environment == "development" else "json")


def test_shipped_example_of_a_job_is_a_job_when_uncommented(project: Project) -> None:
    text = (ROOT / "config" / "base" / "jobs.yaml").read_text("utf-8")
    head, body = text.split("jobs:\n")
    project.write(
        "config/base/jobs.yaml", head + "jobs:\n" + re.sub(r"^  # ", "  ", body, flags=re.MULTILINE)
    )
    (job,) = project.load().jobs
    assert job.id == "enrich-orders"
    assert {"kind", "params", "trigger", "policy"} <= set(job.document)
