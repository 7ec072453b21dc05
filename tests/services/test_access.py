"""Coming in and going out."""

from collections.abc import Iterator

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Forbidden, TooMany, Unauthenticated
from cronzimus.models.access import Role
from cronzimus.models.actor import Actor, Door, current_actor
from cronzimus.services.access import Access
from cronzimus.services.attempts import MOST_FOR_A_NAME
from cronzimus.services.audit import Audit
from cronzimus.settings import AuthSettings
from cronzimus.utils.tokens import digest

PASSWORD = "correct horse battery"
HOME = "192.0.2.1"


@pytest.fixture
def access(database: Database) -> Access:
    return Access(database, Audit(database), AuthSettings(hashing_memory_mb=1))


@pytest.fixture
def ann(access: Access) -> str:
    return access.people.add("ann", Role.ADMIN, password=PASSWORD, by="t").name


@pytest.fixture(autouse=True)
def at_the_door() -> Iterator[None]:
    """A request of nobody known yet."""
    token = current_actor.set(Actor("anyone", Door.WEB, HOME))
    yield
    current_actor.reset(token)


def events(database: Database) -> list[tuple[str, str, str]]:
    found = reversed(Audit(database).list().items)
    return [(event.actor, event.action, event.target) for event in found if event.action != "user.add"]


def refusal(access: Access, name: str, password: str, address: str = HOME) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        access.sign_in(name, password, address)
    return caught.value


def test_a_person_signs_in_and_is_known_by_the_session(access: Access, ann: str, database: Database) -> None:
    signed_in = access.sign_in(" Ann ", PASSWORD, HOME)
    holder = access.credentials.session(signed_in.secret)
    assert holder is not None and (holder.name, holder.role) == ("ann", "admin")
    assert access.people.get(ann).signed_in_at is not None
    assert events(database) == [("ann", "session.open", "user/ann")]
    kept = database.fetch_all("SELECT * FROM cronzimus.sessions")
    assert signed_in.secret not in str(kept) and digest(signed_in.secret) in str(kept)


def test_wrong_name_and_wrong_password_are_told_alike(access: Access, ann: str, database: Database) -> None:
    wrong, unknown = refusal(access, ann, "wrong"), refusal(access, "nobody", PASSWORD)
    assert (wrong.message, wrong.code) == (unknown.message, unknown.code)
    assert events(database) == [
        ("anyone", "session.refuse", "user/ann"),
        ("anyone", "session.refuse", "user/?"),
    ]


def test_guessing_ends(access: Access, ann: str) -> None:
    for _ in range(MOST_FOR_A_NAME):
        refusal(access, ann, "wrong")
    with pytest.raises(TooMany):
        access.sign_in(ann, PASSWORD, HOME)


def test_coming_in_forgives_what_was_mistyped(access: Access, ann: str) -> None:
    for _ in range(3):
        for _ in range(MOST_FOR_A_NAME - 1):
            refusal(access, ann, "wrong")
        access.sign_in(ann, PASSWORD, HOME)


def test_a_session_is_another_one_after_each_sign_in(access: Access, ann: str) -> None:
    first = access.sign_in(ann, PASSWORD, HOME).secret
    second = access.sign_in(ann, PASSWORD, HOME, before=first).secret
    assert first != second
    assert access.credentials.session(first) is None and access.credentials.session(second) is not None


def test_signing_out_ends_this_session_alone(access: Access, ann: str, database: Database) -> None:
    here, there = (access.sign_in(ann, PASSWORD, HOME).secret for _ in range(2))
    assert access.credentials.session(here) is not None
    access.sign_out(here)
    assert access.credentials.session(here) is None and access.credentials.session(there) is not None
    access.sign_out(here)
    assert [action for _, action, _ in events(database)] == ["session.open", "session.open", "session.close"]


def test_signing_out_everywhere_ends_every_session(access: Access, ann: str, database: Database) -> None:
    secrets = [access.sign_in(ann, PASSWORD, HOME).secret for _ in range(3)]
    access.sign_out_everywhere(ann)
    assert [access.credentials.session(secret) for secret in secrets] == [None] * 3
    assert events(database)[-1][1:] == ("session.close_all", "user/ann")


def test_a_disabled_person_is_not_welcome(access: Access, ann: str) -> None:
    bob = access.people.add("bob", Role.ADMIN, by="t")
    access.people.set_disabled("bob", True)
    with pytest.raises(Unauthenticated):
        access.welcome(access.people.get(bob.name), HOME)


def test_who_changes_their_password_stays_here_and_nowhere_else(access: Access, ann: str) -> None:
    here, there = (access.sign_in(ann, PASSWORD, HOME).secret for _ in range(2))
    with pytest.raises(Forbidden) as caught:
        access.change_password(ann, "wrong", "another long password", HOME, keep=here)
    assert caught.value.code == "PASSWORD_WRONG"
    access.change_password(ann, PASSWORD, "another long password", HOME, keep=here)
    assert access.credentials.session(here) is not None and access.credentials.session(there) is None
    refusal(access, ann, PASSWORD)
    access.sign_in(ann, "another long password", HOME)


def test_somebody_can_come_in_when_an_admin_or_an_admins_token_is_there(access: Access) -> None:
    assert not access.anybody()
    access.people.add("bob", Role.OPERATOR, by="t")
    access.tokens.make("weak", ["operate"], by="t")
    assert not access.anybody()
    token = access.tokens.make("strong", ["admin"], by="t").token
    assert access.anybody()
    access.tokens.revoke(token.id, by="t")
    assert not access.anybody()
    access.people.add("ann", Role.ADMIN, by="t")
    assert access.anybody()


def test_nobody_is_there_before_the_schema_is(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert not Access(database, Audit(database), AuthSettings()).anybody()
    database.close()


def test_pruning_forgets_sessions_that_ended(access: Access, ann: str, database: Database) -> None:
    access.sign_in(ann, PASSWORD, HOME)
    database.execute("UPDATE cronzimus.sessions SET expires_at = clock_timestamp()")
    kept = access.sign_in(ann, PASSWORD, HOME).secret
    access.prune()
    assert database.fetch_all("SELECT sha256 FROM cronzimus.sessions") == [(digest(kept),)]
