"""`cronzimus tokens`, on a real database and without a service."""

import pytest

from cronzimus.utils.tokens import is_token
from tests.cli.line import Line
from tests.fixtures.project import Project


@pytest.fixture(autouse=True)
def filled(database_url: str, project: Project) -> str:
    """A database which the project names."""
    project.set(DATABASE_URL=database_url)
    return database_url


def test_a_token_is_shown_once_and_revoked_by_name(line: Line) -> None:
    secret = line.out(
        "tokens", "make", "ci", "--scope", "read", "--scope", "operate", "--expires", "90d"
    ).strip()
    assert is_token(secret)
    titles, row = line.out("tokens", "list").splitlines()
    assert titles.split()[:4] == ["ID", "NAME", "SCOPES", "BEGINS"]
    assert row.split()[1:5] == ["ci", "read", "operate", secret[:10]] and secret not in row
    assert line.out("tokens", "revoke", "ci") == "ci opens nothing any more\n"
    assert line.json("tokens", "list")["total"] == 0
    (gone,) = line.json("tokens", "list", "--revoked")["items"]
    assert gone["revoked_at"] is not None and "sha256" not in gone


def test_a_token_as_json_is_revoked_by_id(line: Line) -> None:
    made = line.json("tokens", "make", "ci", "--scope", "admin")
    assert is_token(made["token"]) and made["expires_at"] is None
    assert line.json("tokens", "revoke", made["id"])["revoked_by"] == made["created_by"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["make", "ci"], 2, "--scope"),
        (["make", "ci", "--scope", "root"], 2, "'root' is not one of"),
        (["revoke", "nothing"], 1, "there is no token 'nothing'"),
    ],
)
def test_tokens_refuses(line: Line, words: list[str], code: int, said: str) -> None:
    assert said in line.complaint("tokens", *words, code=code)
