"""API tokens: told once, kept as a digest, revoked for good."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.services.audit import Audit
from cronzimus.services.tokens import Tokens
from cronzimus.utils.tokens import is_token


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database, Audit(database))


def test_a_token_is_told_once_and_kept_as_a_digest(tokens: Tokens, database: Database) -> None:
    made = tokens.make("ci", ["operate", "read", "read"], by="ann")
    assert is_token(made.secret) and made.secret.startswith(made.token.prefix)
    assert (made.token.name, made.token.scopes, made.token.created_by) == ("ci", ["read", "operate"], "ann")
    rows = str(database.fetch_all("SELECT * FROM cronzimus.api_tokens"))
    events = str(Audit(database).list().items)
    assert made.secret not in rows and made.secret not in events and made.secret[12:] not in events


def test_a_name_is_given_again_only_after_revocation(tokens: Tokens) -> None:
    first = tokens.make("ci", ["read"], by="ann").token
    with pytest.raises(Conflict) as caught:
        tokens.make("ci", ["read"], by="ann")
    assert caught.value.code == "TOKEN_EXISTS"
    tokens.revoke(first.id, by="ann")
    assert tokens.named("ci") is not None if tokens.make("ci", ["read"], by="ann") else False


def test_a_token_cannot_be_made_expired(tokens: Tokens) -> None:
    with pytest.raises(Invalid, match="expires_at: must lie in the future"):
        tokens.make("ci", ["read"], expires_at=datetime.now(UTC) - timedelta(seconds=1), by="ann")


def test_revocation_is_for_good_and_by_whom_it_was_first(tokens: Tokens, database: Database) -> None:
    token = tokens.make("ci", ["read"], by="ann").token
    first = tokens.revoke(token.id, by="bob")
    assert first.revoked_at is not None and first.revoked_by == "bob"
    assert tokens.revoke(token.id, by="zoe") == first
    actions = [event.action for event in reversed(Audit(database).list().items)]
    assert actions == ["token.make", "token.revoke"]


def test_list_shows_the_living_unless_asked_for_all(tokens: Tokens, database: Database) -> None:
    live = tokens.make("live", ["read"], by="t").token
    revoked = tokens.make("revoked", ["read"], by="t").token
    expired = tokens.make("expired", ["read"], expires_at=datetime.now(UTC) + timedelta(days=1), by="t").token
    tokens.revoke(revoked.id, by="t")
    database.execute(
        "UPDATE cronzimus.api_tokens SET expires_at = clock_timestamp() WHERE id = %s", [expired.id]
    )
    assert [token.id for token in tokens.list().items] == [live.id]
    page = tokens.list(everything=True, limit=2)
    assert [token.id for token in page.items] == [expired.id, live.id] and page.total == 3


def test_unknown_tokens_are_not_found(tokens: Tokens) -> None:
    for ask in (
        lambda: tokens.get(uuid4()),
        lambda: tokens.revoke(uuid4(), by="t"),
        lambda: tokens.named("x"),
    ):
        with pytest.raises(NotFound) as caught:
            ask()
        assert caught.value.code == "TOKEN_NOT_FOUND"
