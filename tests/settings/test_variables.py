"""The environment speaks through known names, files of secrets and `.env`; near misses are noticed."""

from pathlib import Path

import pytest

from cronzimus.settings import variables
from cronzimus.settings.report import Report
from cronzimus.settings.variables import Variables
from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


def given(**values: str) -> dict[str, object]:
    report = Report()
    found = {one.dotted: one.value for one in variables.given(Variables(values), report)}
    assert report.faults == []
    return found


def test_given_reads_sections_and_keys() -> None:
    assert given(CRONZIMUS_SERVER__PORT="1", CRONZIMUS_API__AUTH__ENABLED="yes", OTHER__KEY="x") == {
        "server.port": "1",
        "api.auth.enabled": "yes",
    }


def test_given_reads_the_well_known_names_first() -> None:
    found = given(DATABASE_URL="a", LOG_LEVEL="DEBUG")
    assert found == {"database.url": "a", "logging.level": "DEBUG"}
    assert given(DATABASE_URL="a", CRONZIMUS_DATABASE__URL="b") == {"database.url": "b"}


def test_given_counts_empty_as_unset() -> None:
    assert given(CRONZIMUS_SERVER__PORT="", DATABASE_URL="") == {}


@pytest.mark.parametrize("name", ["DATABASE_URL_FILE", "CRONZIMUS_DATABASE__URL_FILE"])
def test_given_reads_secrets_from_files(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://h/d\n")
    assert given(**{name: str(tmp_path / "secret")}) == {"database.url": "postgresql://h/d"}


def test_given_does_not_take_logging_file_for_a_file_of_a_secret() -> None:
    assert given(CRONZIMUS_LOGGING__FILE="x.log") == {"logging.file": "x.log"}


def test_given_refuses_value_and_file_together() -> None:
    report = Report()
    values = {"CRONZIMUS_DATABASE__URL": "a", "CRONZIMUS_DATABASE__URL_FILE": "b"}
    assert list(variables.given(Variables(values), report)) == []
    assert [fault.message for fault in report.faults] == [
        "CRONZIMUS_DATABASE__URL and CRONZIMUS_DATABASE__URL_FILE are both set; keep one of them"
    ]


def test_given_says_which_variable_a_value_came_from() -> None:
    (one,) = variables.given(Variables({"LOG_LEVEL": "DEBUG"}), Report())
    assert one.origin == "environment variable LOG_LEVEL"


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("CRONZIMUS_SERVER_PORT", "9000", "CRONZIMUS_SERVER__PORT"),
        ("CRONZIMUS_API_AUTH_ENABLED", "1", "CRONZIMUS_API__AUTH__ENABLED"),
        ("CRONZIMUS_SERVER_PORT", "tcp://10.0.0.1:5000", None),
        ("CRONZIMUS_PORT_5000_TCP", "tcp://10.0.0.1:5000", None),
        ("CRONZIMUS_SERVICE_HOST", "10.0.0.1", None),
        ("CRONZIMUS_ENV", "development", None),
        ("SERVER_PORT", "1", None),
    ],
)
def test_given_notices_a_missing_underscore(name: str, value: str, meant: str | None) -> None:
    report = Report()
    assert list(variables.given(Variables({name: value}), report)) == []
    expected = [f"environment variable {name}: not a setting; did you mean {meant}?"] if meant else []
    assert report.warnings == expected


def test_dotenv_is_empty_without_a_file(project: Project) -> None:
    assert variables.dotenv({}, Report()) == Variables({}, {})


def test_dotenv_knows_its_lines(project: Project) -> None:
    project.write(".env", "# first\nLOG_LEVEL=DEBUG\n")
    (one,) = variables.given(variables.dotenv({}, Report()), Report())
    assert (one.value, one.origin) == ("DEBUG", ".env:2, LOG_LEVEL")


def test_dotenv_replaces_references_from_the_process_and_from_above(project: Project) -> None:
    project.write(".env", "HOST=db\nURL=pg://${HOST}:${PORT}\nRAW='${HOST}'\n")
    assert variables.dotenv({"PORT": "1", "HOST": "process"}, Report()).values == {
        "HOST": "db",
        "URL": "pg://process:1",
        "RAW": "${HOST}",
    }


def test_dotenv_names_the_line_of_a_missing_reference(project: Project) -> None:
    project.write(".env", "A=1\nURL=${GONE}\n")
    report = Report()
    variables.dotenv({}, report)
    assert report.faults[0].message == (
        "URL: environment variable GONE is not set; set it or write ${GONE:-default} (from .env:2)"
    )


def test_dotenv_names_every_bad_line(project: Project) -> None:
    project.write(".env", "A=1\nbad\nB='open\n")
    report = Report()
    variables.dotenv({}, report)
    assert [fault.message for fault in report.faults] == [
        ".env:2: expected NAME=value, with the quotes closed",
        ".env:3: expected NAME=value, with the quotes closed",
    ]


def test_dotenv_that_is_a_folder_is_no_file(project: Project) -> None:
    (project.root / ".env").mkdir()
    assert variables.dotenv({}, Report()).values == {}


def test_dotenv_that_is_not_text_is_a_fault(project: Project) -> None:
    (project.root / ".env").write_bytes(b"A=\xff\n")
    report = Report()
    variables.dotenv({}, report)
    assert report.faults[0].message == ".env: cannot be read: not UTF-8 text"


def token(**values: str) -> tuple[object, Report]:
    report = Report()
    return variables.api_token(Variables(values), report), report


def test_api_token_has_every_scope() -> None:
    found, report = token(CRONZIMUS_API_TOKEN="a-long-enough-token")
    assert found == {
        "name": "CRONZIMUS_API_TOKEN",
        "token": "a-long-enough-token",
        "scopes": ("read", "operate", "admin"),
    }
    assert (report.faults, report.warnings) == ([], [])


def test_api_token_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a-long-enough-token\n")
    assert token(CRONZIMUS_API_TOKEN_FILE=str(tmp_path / "t"))[0] is not None


def test_api_token_is_absent_when_unset() -> None:
    assert token(CRONZIMUS_API_TOKEN="")[0] is None


def test_api_token_that_is_short_is_warned_about() -> None:
    assert "shorter than 16 characters" in token(CRONZIMUS_API_TOKEN="short")[1].warnings[0]


@pytest.mark.parametrize(
    "text", ["with space in between", "ümlaut-is-no-header-value", "tab\tin-the-middle-x"]
)
def test_api_token_that_no_header_can_carry_is_refused(text: str) -> None:
    found, report = token(CRONZIMUS_API_TOKEN=text)
    assert found is None
    assert report.faults[0].message == "CRONZIMUS_API_TOKEN: expected printable ASCII without spaces"


def test_api_token_whose_file_is_missing_is_refused(tmp_path: Path) -> None:
    found, report = token(CRONZIMUS_API_TOKEN_FILE=str(tmp_path / "gone"))
    assert found is None
    assert report.faults[0].message.startswith("CRONZIMUS_API_TOKEN_FILE: cannot read")
