"""Who a secret stands for: remembered briefly, forgotten at once, in every process."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.common.db import Database
from cronzimus.common.loop import Loop
from cronzimus.common.notify import Listener
from cronzimus.common.sql import queries
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.access import Role
from cronzimus.services import credentials as module
from cronzimus.services.access import Access
from cronzimus.services.audit import Audit
from cronzimus.services.credentials import ACCESS_CHANNEL, Credentials
from cronzimus.settings import AuthSettings
from cronzimus.utils.tokens import digest, new_token
from tests.heart import until

HOUR = timedelta(hours=1)


@pytest.fixture
def access(database: Database) -> Access:
    """Where tokens are made and revoked."""
    return Access(database, Audit(database), AuthSettings(hashing_memory_mb=1))


@pytest.fixture
def elsewhere(database: Database) -> Credentials:
    """What another process knows."""
    return Credentials(database, session_lasts=HOUR)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is remembered for as long as a test takes."""
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 600.0)


@pytest.fixture
def listening(elsewhere: Credentials, database_url: str) -> Iterator[None]:
    """The other process hears notifications."""
    heard = threading.Event()

    def ignore(payload: str) -> None:
        """Other channels."""

    handlers = {name: ignore for name in ("cronzimus_jobs", "cronzimus_cancel", "cronzimus_events")}
    listener = Listener(
        database_url,
        queries("cronzimus.services.sql", "notify.sql")["listen"],
        {**handlers, ACCESS_CHANNEL: elsewhere.forget},
    )
    loop = Loop("listen", lambda: (heard.set(), listener.step())[1], on_error=lambda name, error: None)
    listener._session = listener._open()
    loop.start()
    yield
    loop.stop()
    listener.close()


def test_a_token_is_known_by_its_secret_alone(access: Access, elsewhere: Credentials) -> None:
    made = access.tokens.make("ci", ["read", "operate"], by="t")
    holder = elsewhere.token(made.secret)
    assert holder is not None and (holder.name, holder.scope, holder.role) == ("ci", "operate", None)
    assert elsewhere.token(new_token()) is None and elsewhere.session(made.secret) is None


def test_what_is_no_token_of_ours_asks_nobody(elsewhere: Credentials, database: Database) -> None:
    database.close()
    assert elsewhere.token("something else") is None and elsewhere.token("czt_" + "0" * 42) is None
    with pytest.raises(DatabaseUnavailable):
        elsewhere.token(new_token())


def test_a_session_stands_for_its_person(access: Access, elsewhere: Credentials) -> None:
    secret = access.welcome(access.people.add("ann", Role.OPERATOR, by="t"), None).secret
    holder = elsewhere.session(secret)
    assert holder is not None and (holder.name, holder.scope, holder.role) == ("ann", "operate", "operator")


def test_the_known_are_not_asked_for_again(
    access: Access, elsewhere: Credentials, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = access.tokens.make("ci", ["read"], by="t")
    assert elsewhere.token(made.secret) is not None
    monkeypatch.setattr(elsewhere, "_database", None)
    assert elsewhere.token(made.secret) is not None


@pytest.mark.usefixtures("patient", "listening")
def test_revocation_is_heard_at_once_in_another_process(access: Access, elsewhere: Credentials) -> None:
    made = access.tokens.make("ci", ["read"], by="t")
    assert elsewhere.token(made.secret) is not None
    access.tokens.revoke(made.token.id, by="t")
    until(lambda: elsewhere.token(made.secret) is None, seconds=5)


@pytest.mark.usefixtures("patient", "listening")
@pytest.mark.parametrize(
    "change",
    [{"disabled": True}, {"password": "another long password"}],
)
def test_a_person_shown_the_door_is_out_at_once_in_another_process(
    access: Access, elsewhere: Credentials, change: dict[str, Any]
) -> None:
    access.people.add("root", Role.ADMIN, by="t")
    secret = access.welcome(access.people.add("ann", Role.ADMIN, by="t"), None).secret
    assert elsewhere.session(secret) is not None
    access.people.change("ann", **change)
    until(lambda: elsewhere.session(secret) is None, seconds=5)


@pytest.mark.usefixtures("patient", "listening")
def test_another_role_holds_at_once_in_another_process(access: Access, elsewhere: Credentials) -> None:
    secret = access.welcome(access.people.add("ann", Role.VIEWER, by="t"), None).secret
    assert elsewhere.session(secret) is not None
    access.people.set_role("ann", Role.OPERATOR)
    until(lambda: (holder := elsewhere.session(secret)) and holder.scope == "operate", seconds=5)


def test_without_notifications_belief_ends_by_itself(
    access: Access, elsewhere: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.05)
    made = access.tokens.make("ci", ["read"], by="t")
    assert elsewhere.token(made.secret) is not None
    access.tokens.revoke(made.token.id, by="t")
    until(lambda: elsewhere.token(made.secret) is None, seconds=5)
    assert 0 < module.REMEMBERED_SECONDS <= 2


def test_the_process_that_revokes_forgets_by_itself(access: Access, patient: None) -> None:
    made = access.tokens.make("ci", ["read"], by="t")
    assert access.credentials.token(made.secret) is not None
    access.tokens.revoke(made.token.id, by="t")
    assert access.credentials.token(made.secret) is None


def test_what_was_asked_before_a_revocation_is_not_remembered_after_it(
    access: Access, elsewhere: Credentials, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = access.tokens.make("ci", ["read"], by="t")
    fetch_one = elsewhere._database.fetch_one

    def slowly(*args: Any, **more: Any) -> Any:
        row = fetch_one(*args, **more)
        monkeypatch.undo()
        monkeypatch.setattr(module, "REMEMBERED_SECONDS", 600.0)
        access.tokens.revoke(made.token.id, by="t")
        elsewhere.forget()
        return row

    monkeypatch.setattr(elsewhere._database, "fetch_one", slowly)
    assert elsewhere.token(made.secret) is not None
    assert elsewhere.token(made.secret) is None


def test_nothing_is_believed_beyond_its_end(access: Access, elsewhere: Credentials, patient: None) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    made = access.tokens.make("ci", ["read"], expires_at=soon, by="t")
    assert elsewhere.token(made.secret) is not None
    until(lambda: elsewhere.token(made.secret) is None, seconds=5)


def test_uses_are_written_beside_the_requests_once_a_minute(access: Access, elsewhere: Credentials) -> None:
    made = access.tokens.make("ci", ["read"], by="t")
    elsewhere.token(made.secret)
    assert access.tokens.get(made.token.id).last_used_at is None
    elsewhere.write_uses()
    first = access.tokens.get(made.token.id).last_used_at
    assert first is not None
    elsewhere.token(made.secret)
    elsewhere.write_uses()
    other = Credentials(elsewhere._database, session_lasts=HOUR)
    other.token(made.secret)
    other.write_uses()
    assert access.tokens.get(made.token.id).last_used_at == first


def test_a_session_slides_and_ends_after_thirty_days(
    access: Access, elsewhere: Credentials, database: Database
) -> None:
    secret = access.welcome(access.people.add("ann", Role.VIEWER, by="t"), None).secret

    def left() -> timedelta:
        ends, now = database.fetch_one("SELECT expires_at, clock_timestamp() FROM cronzimus.sessions") or (
            0,
            0,
        )
        return timedelta(seconds=(ends - now).total_seconds())

    database.execute("UPDATE cronzimus.sessions SET expires_at = clock_timestamp() + interval '1 minute'")
    elsewhere.session(secret)
    elsewhere.write_uses()
    assert timedelta(minutes=59) < left() <= HOUR
    database.execute("UPDATE cronzimus.sessions SET created_at = created_at - interval '29 days 23.5 hours'")
    again = Credentials(database, session_lasts=HOUR)
    again.session(secret)
    again.write_uses()
    assert left() <= timedelta(minutes=30)
    assert digest(secret) != secret
