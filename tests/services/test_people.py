"""People: added, changed, removed; and always one left who can."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.access import Role
from cronzimus.services.audit import Audit
from cronzimus.services.passwords import Passwords
from cronzimus.services.people import People

PASSWORD = "correct horse battery"


@pytest.fixture
def people(database: Database) -> People:
    return People(database, Audit(database), Passwords(memory_mb=1))


@pytest.fixture
def ann(people: People) -> str:
    """The only admin."""
    return people.add("ann", Role.ADMIN, password=PASSWORD, by="t").name


def refused(verb: object, *args: object, **more: object) -> str:
    with pytest.raises(Conflict) as caught:
        verb(*args, **more)  # type: ignore[operator]
    return caught.value.code


def actions(database: Database) -> list[str]:
    return [event.action for event in reversed(Audit(database).list().items)]


def test_a_person_is_kept_without_their_password(people: People, database: Database) -> None:
    user = people.add("ann", Role.OPERATOR, password=PASSWORD, by="root")
    assert (user.name, user.role, user.has_password, user.created_by) == ("ann", "operator", True, "root")
    assert user.disabled_at is None and user.signed_in_at is None and user.issuer is None
    (event,) = Audit(database).list().items
    assert (event.action, event.target, event.after) == (
        "user.add",
        "user/ann",
        {"role": "operator", "issuer": None},
    )
    assert PASSWORD not in str(database.fetch_all("SELECT * FROM cronzimus.users"))


def test_a_name_is_given_once(people: People, ann: str) -> None:
    assert refused(people.add, ann, Role.VIEWER, by="t") == "USER_EXISTS"


@pytest.mark.parametrize("name", ["", "Ann", "a b", "../etc"])
def test_a_name_is_that_of_an_account(people: People, name: str) -> None:
    with pytest.raises(Invalid):
        people.add(name, Role.VIEWER, by="t")


def test_people_are_listed_by_name(people: People, ann: str) -> None:
    people.add("zoe", Role.VIEWER, by="t")
    people.add("bob", Role.VIEWER, by="t")
    page = people.list(limit=2)
    assert ([user.name for user in page.items], page.total) == (["ann", "bob"], 3)


@pytest.mark.parametrize("verb", ["get", "remove"])
def test_nobody_is_not_found(people: People, verb: str) -> None:
    with pytest.raises(NotFound) as caught:
        getattr(people, verb)("nobody")
    assert caught.value.code == "USER_NOT_FOUND"


def test_changing_nobody_is_not_found(people: People) -> None:
    for change in ({"role": Role.ADMIN}, {"disabled": True}, {"password": PASSWORD}):
        with pytest.raises(NotFound):
            people.change("nobody", **change)  # type: ignore[arg-type]


def test_the_last_admin_stays_one(people: People, ann: str, database: Database) -> None:
    people.add("bob", Role.VIEWER, by="t")
    assert refused(people.remove, ann) == "LAST_ADMIN"
    assert refused(people.set_disabled, ann, True) == "LAST_ADMIN"
    assert refused(people.set_role, ann, Role.OPERATOR) == "LAST_ADMIN"
    assert actions(database) == ["user.add", "user.add"]
    people.set_role("bob", Role.ADMIN)
    people.remove(ann)
    assert refused(people.remove, "bob") == "LAST_ADMIN"


def test_a_disabled_admin_is_none_to_count_on(people: People, ann: str) -> None:
    people.add("bob", Role.ADMIN, by="t")
    people.set_disabled("bob", True)
    assert refused(people.remove, ann) == "LAST_ADMIN"
    people.remove("bob")


def test_two_admins_cannot_remove_each_other(people: People, ann: str) -> None:
    people.add("bob", Role.ADMIN, by="t")

    def remove(name: str) -> bool:
        try:
            people.remove(name)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, ["ann", "bob"])) == [False, True]


def test_all_of_a_change_or_nothing(people: People, ann: str) -> None:
    assert refused(people.change, ann, password="another long password", disabled=True) == "LAST_ADMIN"
    assert people.verified(ann, PASSWORD) is not None


def test_changes_are_recorded_and_no_change_is_none(people: People, ann: str, database: Database) -> None:
    people.add("bob", Role.VIEWER, by="t")
    people.change("bob", role=Role.OPERATOR, password=PASSWORD, disabled=True)
    people.change("bob", role=Role.OPERATOR, disabled=True)
    people.change("bob", disabled=False)
    assert actions(database)[2:] == ["user.role", "user.password", "user.disable", "user.enable"]


def test_only_the_right_password_of_somebody_who_may_come_in(people: People, ann: str) -> None:
    found = people.verified(ann, PASSWORD)
    assert found is not None and found.name == ann
    assert people.verified(ann, "wrong password") is None
    assert people.verified("nobody", PASSWORD) is None
    people.add("bob", Role.ADMIN, by="t")
    assert people.verified("bob", "") is None
    people.set_disabled(ann, True)
    assert people.verified(ann, PASSWORD) is None


def test_a_password_kept_at_another_cost_is_kept_anew(people: People, ann: str, database: Database) -> None:
    dearer = People(database, Audit(database), Passwords(memory_mb=2))
    assert dearer.verified(ann, PASSWORD) is not None
    (kept,) = database.fetch_one("SELECT password_hash FROM cronzimus.users") or ("",)
    assert "m=2048" in kept and dearer.verified(ann, PASSWORD) is not None


def test_a_provider_brings_people_who_follow_it(people: People, ann: str) -> None:
    first = people.arrive("https://id", "s1", name="bob", role=Role.VIEWER)
    assert (first.name, first.role, first.issuer, first.has_password) == (
        "bob",
        "viewer",
        "https://id",
        False,
    )
    again = people.arrive("https://id", "s1", name="renamed", role=Role.OPERATOR)
    assert (again.name, again.role) == ("bob", "operator")


def test_a_provider_cannot_bring_somebody_elses_name(people: People, ann: str) -> None:
    assert refused(people.arrive, "https://id", "s1", name=ann, role=Role.VIEWER) == "USER_EXISTS"
    people.arrive("https://id", "s2", name="bob", role=Role.VIEWER)
    assert refused(people.arrive, "https://other", "s2", name="bob", role=Role.ADMIN) == "USER_EXISTS"


def test_a_provider_does_not_take_the_last_admin_away(people: People) -> None:
    people.arrive("https://id", "s1", name="bob", role=Role.ADMIN)
    assert people.arrive("https://id", "s1", name="bob", role=Role.VIEWER).role == "admin"
