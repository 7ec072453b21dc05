"""`cronzimus users`, on a real database and without a service."""

import pytest

from cronzimus.common.db import Database
from cronzimus.services.access import Access
from cronzimus.services.audit import Audit
from cronzimus.settings import AuthSettings
from tests.cli.line import Line
from tests.fixtures.project import Project

PASSWORD = "correct horse battery"


@pytest.fixture
def filled(database_url: str, project: Project) -> str:
    """A database which the project names."""
    project.set(DATABASE_URL=database_url, CRONZIMUS_API__AUTH__HASHING_MEMORY_MB="1")
    return database_url


def test_the_first_admin_of_an_empty_database(line: Line, empty_database_url: str, project: Project) -> None:
    project.set(DATABASE_URL=empty_database_url, CRONZIMUS_API__AUTH__HASHING_MEMORY_MB="1")
    assert (
        line.out("users", "add", "ann", "--role", "admin", given=f"{PASSWORD}\n")
        == "ann (admin) may sign in\n"
    )
    database = Database(empty_database_url)
    access = Access(database, Audit(database), AuthSettings(hashing_memory_mb=1))
    assert access.anybody() and access.sign_in("ann", PASSWORD, None).role == "admin"
    event = Audit(database).list(action="user.add").items[0]
    assert (event.door, event.target) == ("cli", "user/ann")
    database.close()


def test_a_person_s_way_through_the_house(line: Line, filled: str, project: Project) -> None:
    project.set(CRONZIMUS_PASSWORD=PASSWORD)
    line.out("users", "add", "ann", "--role", "admin")
    line.out("users", "add", "bob", "--role", "viewer", "--no-password")
    assert line.out("users", "role", "bob", "operator") == "bob (operator) is operator now\n"
    assert "another password" in line.out("users", "password", "bob")
    assert line.json("users", "disable", "bob")["disabled_at"] is not None
    titles, ann, bob = line.out("users", "list").splitlines()
    assert titles.split()[:3] == ["NAME", "ROLE", "STATE"]
    assert ann.split()[:4] == ["ann", "admin", "active", "password"]
    assert bob.split()[:3] == ["bob", "operator", "disabled"]
    line.out("users", "enable", "bob")
    line.out("users", "remove", "bob")
    assert line.json("users", "list")["total"] == 1


def test_the_last_admin_stays(line: Line, filled: str, project: Project) -> None:
    project.set(CRONZIMUS_PASSWORD=PASSWORD)
    line.out("users", "add", "ann", "--role", "admin")
    for words in (["disable", "ann"], ["remove", "ann"], ["role", "ann", "viewer"]):
        assert "last admin" in line.complaint("users", *words, code=1)


@pytest.mark.parametrize(
    ("words", "given", "code", "said"),
    [
        (["add", "ann", "--role", "admin"], "", 2, "no password was given"),
        (["add", "ann", "--role", "admin"], "hunter2\n", 2, "10 to 1024 characters"),
        (["add", "Ann", "--role", "admin"], f"{PASSWORD}\n", 2, "name: must begin with"),
        (["add", "ann", "--role", "king"], "", 2, "'king' is not one of"),
        (["disable", "nobody"], "", 1, "there is no user 'nobody'"),
    ],
)
def test_users_refuses(line: Line, filled: str, words: list[str], given: str, code: int, said: str) -> None:
    complaint = line.complaint("users", *words, code=code, given=given)
    assert said in complaint and "hunter2" not in complaint
