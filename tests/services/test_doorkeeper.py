"""What happens beside the requests."""

from datetime import timedelta

from cronzimus.common.db import Database
from cronzimus.services.access import Access
from cronzimus.services.audit import Audit
from cronzimus.services.doorkeeper import Doorkeeper
from cronzimus.settings import AuthSettings


def test_each_round_writes_uses_and_the_first_prunes(database: Database) -> None:
    audit = Audit(database)
    access = Access(database, audit, AuthSettings(hashing_memory_mb=1))
    made = access.tokens.make("ci", ["read"], by="t")
    database.execute("INSERT INTO cronzimus.login_attempts (name_sha256, network) VALUES ('x', 'y')")
    database.execute("UPDATE cronzimus.login_attempts SET at = at - interval '1 day'")
    keeper = Doorkeeper(access, audit, timedelta(days=30))
    access.credentials.token(made.secret)
    assert 0 < keeper.step() <= 60
    assert access.tokens.get(made.token.id).last_used_at is not None
    assert database.fetch_all("SELECT * FROM cronzimus.login_attempts") == []
    database.execute("INSERT INTO cronzimus.login_attempts (name_sha256, network) VALUES ('x', 'y')")
    database.execute("UPDATE cronzimus.login_attempts SET at = at - interval '1 day'")
    keeper.step()
    assert len(database.fetch_all("SELECT * FROM cronzimus.login_attempts")) == 1
