"""The right files are read in the right order, from wherever the tree lies."""

from pathlib import Path

import pytest

from cronzimus.errors import ConfigError
from cronzimus.settings import files
from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def names(tree: files.Tree, environment: str = "production") -> list[str]:
    return [str(path) for path in files.listed(tree, environment)]


def test_locate_is_content_without_a_config_folder(project: Project) -> None:
    tree = files.locate(None, {})
    assert tree.root is None
    assert names(tree) == []


def test_locate_finds_the_config_folder(project: Project) -> None:
    project.write("config/base/config.yaml")
    assert files.locate(None, {}).root == Path("config")


def test_locate_prefers_the_path_it_was_given_then_the_most_specific_variable(project: Project) -> None:
    for name in ("config", "a", "b", "c", "d"):
        project.write(f"{name}/config.yaml")
    variables = {"CRONZIMUS_CONFIG_PATH": "b", "ORCHESTRATOR_CONFIG_PATH": "c", "CONFIG_PATH": "d"}
    assert files.locate(Path("a"), variables).root == Path("a")
    for expected in ("b", "c", "d"):
        assert files.locate(None, variables).root == Path(expected)
        del variables[next(iter(variables))]
    assert files.locate(None, variables).root == Path("config")


def test_locate_prefers_any_variable_of_the_first_place(project: Project) -> None:
    for name in ("a", "b"):
        project.write(f"{name}/config.yaml")
    assert files.locate(None, {"CONFIG_PATH": "a"}, {"CRONZIMUS_CONFIG_PATH": "b"}).root == Path("a")


def test_locate_says_where_a_missing_path_was_named(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"config path gone does not exist \(from CONFIG_PATH\)"):
        files.locate(None, {"CONFIG_PATH": "gone"})


def test_locate_refuses_a_file_of_another_kind(project: Project) -> None:
    project.write("settings.ini")
    with pytest.raises(ConfigError, match="settings.ini is neither a folder nor a YAML or TOML file"):
        files.locate(Path("settings.ini"), {})


@pytest.mark.parametrize("path", ["config/production", "config/production/", "./config/production"])
def test_locate_understands_an_environment_folder_beside_base(project: Project, path: str) -> None:
    project.write("config/base/config.yaml")
    project.write("config/production/config.yaml")
    tree = files.locate(Path(path), {})
    assert tree.environment == "production"
    assert names(tree) == ["config/base/config.yaml", "config/production/config.yaml"]


def test_locate_understands_an_environment_folder_from_inside(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("config/base/config.yaml")
    project.write("config/production/config.yaml")
    monkeypatch.chdir("config/production")
    assert files.locate(Path("."), {}).environment == "production"


def test_locate_takes_an_environment_folder_without_base_as_a_tree(project: Project) -> None:
    project.write("config/production/config.yaml")
    tree = files.locate(Path("config/production"), {})
    assert tree.environment is None
    assert names(tree, "development") == ["config/production/config.yaml"]


def test_listed_keeps_the_order_of_the_layers(project: Project) -> None:
    expected = [
        "config/base/config.yaml",
        "config/base/config.toml",
        "config/base/database.yml",
        "config/base/jobs.yaml",
        "config/scheduler.toml",
        "config/production/config.yaml",
        "config/production/jobs.toml",
        "config/production.toml",
    ]
    others = [
        "config/development/config.yaml",
        "config/development.toml",
        "config/config.yaml",
        "config/base/x.yaml",
    ]
    for path in sorted(expected + others):
        project.write(path)
    assert names(files.Tree(Path("config"))) == expected


def test_listed_takes_a_tree_without_base_as_the_base_layer(project: Project) -> None:
    for path in ("config.yaml", "jobs.yaml", "compose.yaml", "production/config.yaml", "production.toml"):
        project.write(path)
    assert names(files.Tree(Path("."))) == [
        "config.yaml",
        "jobs.yaml",
        "production/config.yaml",
        "production.toml",
    ]


def test_listed_takes_a_single_file(project: Project) -> None:
    project.write("mine.yaml")
    assert names(files.locate(Path("mine.yaml"), {})) == ["mine.yaml"]


def test_unread_names_files_that_are_probably_misnamed(project: Project) -> None:
    for path in (
        "config.yaml",
        "base/config.yaml",
        "base/scheduler.yaml",
        "base/README.md",
        "production/job.toml",
    ):
        project.write(f"config/{path}")
    project.write("config/development.toml")
    found = files.unread(files.Tree(Path("config")), "production")
    assert [str(path) for path in found] == [
        "config/config.yaml",
        "config/base/scheduler.yaml",
        "config/production/job.toml",
    ]


def test_unread_leaves_folders_alone_that_hold_other_things_too(project: Project) -> None:
    project.write("compose.yaml")
    assert files.unread(files.Tree(Path(".")), "production") == []


def test_read_knows_the_line_of_a_key_in_yaml(project: Project) -> None:
    project.write("f.yaml", "server:\n  port: 1\n")
    source = files.read(Path("f.yaml"))
    assert source.data == {"server": {"port": 1}}
    assert source.where(("server", "port")) == "f.yaml:2"


def test_read_names_the_file_in_toml(project: Project) -> None:
    project.write("f.toml", "[server]\nport = 1\n")
    source = files.read(Path("f.toml"))
    assert source.data == {"server": {"port": 1}}
    assert source.where(("server", "port")) == "f.toml"


def test_read_writes_dates_of_toml_as_text(project: Project) -> None:
    project.write("f.toml", "at = [2026-01-01T00:00:00Z, 2026-01-02]\nx = {d = 07:30:00}\n")
    assert files.read(Path("f.toml")).data == {
        "at": ["2026-01-01T00:00:00+00:00", "2026-01-02"],
        "x": {"d": "07:30:00"},
    }


@pytest.mark.parametrize("name", ["f.yaml", "f.toml"])
def test_read_takes_an_empty_file(project: Project, name: str) -> None:
    project.write(name, "# nothing yet\n")
    assert files.read(Path(name)).data == {}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("f.yaml", b"- a\n", "f.yaml:1:1: expected sections such as `server:`"),
        ("f.yaml", b"just text", "f.yaml:1:1: expected sections"),
        ("f.yaml", b"a: [", "f.yaml:1:5: "),
        ("f.toml", b"a = \n", "f.toml:1:5: Invalid value"),
        ("f.toml", b"a = 1\na = 2\n", "f.toml:2:6: Cannot overwrite a value"),
        ("f.toml", b"a = '\xff'\n", "f.toml: not UTF-8 text"),
        ("f.toml", b"#" * 300_000, "f.toml: larger than 256 kB"),
    ],
)
def test_read_refuses_with_the_place(project: Project, name: str, content: bytes, sentence: str) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        files.read(Path(name))
    assert refused.value.message.startswith(sentence)


def test_read_says_why_a_file_cannot_be_read(project: Project) -> None:
    with pytest.raises(ConfigError, match="gone.toml: cannot be read: No such file"):
        files.read(Path("gone.toml"))
