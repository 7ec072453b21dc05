"""The documents say what the code does: rooms, routes, commands, links, decisions."""

import re
from pathlib import Path

import click
import pytest

from cronzimus.app import create_app
from cronzimus.cli import main
from cronzimus.settings import Settings
from cronzimus.settings.keys import keys
from tests.house.documents import commands, dead_links, described, documents, read, template
from tests.house.tree import PACKAGE, ROOT, listed

TOP = ["README.md", "API.md", "STRUCTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"]
DOCS = ["glossary", "architecture", "state_machine", "configuration"]
OWN_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}

# Routes that bring the pages' own files; nobody calls them by hand.
FILES_OF_PAGES = re.compile(r"/static/|^/docs/|^/openapi/|\{\}\.(css|js|png)$")


def rooms() -> list[str]:
    """The folders of the package that hold something, and the modules at its top."""
    kept = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix in {".py", ".sql", ".html"}]
    folders = {path.parent.name + "/" for path in kept if path.parent != PACKAGE}
    return sorted(
        folders | {path.name for path in kept if path.parent == PACKAGE and path.name != "__init__.py"}
    )


def routes() -> set[tuple[str, str]]:
    """Every (method, route) the application answers."""
    rules = create_app(settings=Settings(), start=False).url_map.iter_rules()
    every = {
        (method, template(rule.rule)) for rule in rules for method in (rule.methods or set()) & OWN_METHODS
    }
    return {(method, route) for method, route in every if not FILES_OF_PAGES.search(route)}


def make_targets() -> set[str]:
    """What `make` knows."""
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def unknown_command(words: list[str], command: click.Command) -> bool:
    """Whether a line of a document asks the command line for something it does not have."""
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("-"):
            return False
        found = command.get_command(click.Context(command), word)
        if found is None:
            return True
        command = found
    return False


@pytest.mark.parametrize("name", [*TOP, *(f"docs/{name}.md" for name in DOCS)])
def test_document_is_written(name: str) -> None:
    assert read(name).startswith("# ")


def test_structure_names_every_room() -> None:
    structure = read("STRUCTURE.md")
    unnamed = [room for room in rooms() if room not in structure]
    assert unnamed == [], listed(unnamed)


def test_structure_names_the_top() -> None:
    structure = read("STRUCTURE.md")
    top = {path.relative_to(ROOT).parts[0] for path in documents()} | {
        "Makefile",
        "pyproject.toml",
        "requirements.txt",
    }
    assert sorted(name for name in top if name not in structure) == []


def test_api_describes_every_route() -> None:
    missing = sorted(f"{method} {route}" for method, route in routes() - described(read("API.md")))
    assert missing == [], listed(missing)


def test_api_describes_no_route_that_is_gone() -> None:
    known = described(read("API.md"))
    gone = sorted(f"{method} {route}" for method, route in known - routes() if method in OWN_METHODS)
    assert gone == [], listed(gone)


def test_configuration_describes_every_setting() -> None:
    page = read("docs/configuration.md")
    missing = sorted(key for key in keys() if f"`{key}`" not in page)
    assert missing == [], listed(missing)


def test_configuration_describes_no_setting_that_is_gone() -> None:
    sections = "|".join(sorted({key.partition(".")[0] for key in keys()}))
    said = set(re.findall(rf"`((?:{sections})\.[a-z_.]+)`", read("docs/configuration.md")))
    gone = sorted(key for key in said - set(keys()) if not key.endswith((".yaml", ".toml")))
    assert gone == [], listed(gone)


def test_documents_name_make_targets_that_exist() -> None:
    asked = {
        words[1]
        for path in documents()
        for words in commands(read(str(path)))
        if words[0] == "make" and words[1:]
    }
    assert {target for target in asked if "=" not in target} <= make_targets()


def test_documents_name_commands_that_exist() -> None:
    lines = [words for path in documents() for words in commands(read(str(path)))]
    asked = [words for words in lines if words[0].rpartition("/")[2] == "cronzimus"]
    unknown = [" ".join(words) for words in asked if unknown_command(words[1:], main)]
    assert unknown == [], listed(unknown)


def test_links_lead_somewhere() -> None:
    dead = [link for path in documents() for link in dead_links(path)]
    assert dead == [], listed(dead)


def test_decisions_are_numbered_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    numbered = [name for name in names if re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)]
    assert names == numbered and names
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_contributing_covers_what_a_newcomer_does() -> None:
    headings = re.findall(r"^## (.+)$", read("CONTRIBUTING.md"), re.MULTILINE)
    assert {
        "Set up",
        "Run the tests",
        "Style",
        "Add a task function",
        "Add an endpoint",
        "Add a setting",
    } <= set(headings)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("| `GET /api/v1/jobs/{id}` | one job |", {("GET", "/api/v1/jobs/{}")}),
        ("| GET | `/api/v1/jobs/<job_id>` | one job |", {("GET", "/api/v1/jobs/{}")}),
        (
            "`PUT, PATCH /scheduler/jobs/{id}`",
            {("PUT", "/scheduler/jobs/{}"), ("PATCH", "/scheduler/jobs/{}")},
        ),
        ("the GET method of a route", set()),
    ],
)
def test_described_reads(line: str, found: set[tuple[str, str]]) -> None:
    assert described(line) == found


def test_commands_reads_shell_blocks_only() -> None:
    text = (
        "```sh\n# first\n$ make run   # starts\ncronzimus jobs \\\n  list\n```\n\n```python\nmake = 1\n```\n"
    )
    assert list(commands(text)) == [["make", "run"], ["cronzimus", "jobs", "list"]]


@pytest.mark.parametrize(
    ("words", "unknown"), [(["jobs", "list"], False), (["jobs", "fly"], True), (["--help"], False)]
)
def test_unknown_command_follows_groups(words: list[str], unknown: bool) -> None:
    jobs = click.Group("jobs", commands=[click.Command("list")])
    assert unknown_command(words, click.Group("cronzimus", commands=[jobs])) is unknown


def test_dead_links_finds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("# P\n[a](page.md#top) [b](gone.md) [c](https://example.org)\n```\n[d](code.md)\n```\n")
    monkeypatch.setattr("tests.house.documents.ROOT", tmp_path)
    assert dead_links(page) == ["page.md: gone.md"]
