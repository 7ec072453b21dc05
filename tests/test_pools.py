"""The connections of one process: named, bounded, and none waits behind another's work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable
from cronzimus.pools import Pools, Server
from cronzimus.settings import DatabaseSettings


@pytest.fixture
def pools(database_url: str) -> Iterator[Pools]:
    pools = Pools(database_url, DatabaseSettings(max_connections=2, min_connections=0, task_connections=2))
    yield pools
    pools.close()


def setting(pools: Pools, pool: str, name: str) -> str:
    row = getattr(pools, pool).fetch_one("SELECT current_setting(%s)", [name])
    return str(row[0])


@pytest.mark.parametrize(
    ("pool", "name"),
    [
        ("service", "cronzimus"),
        ("tasks", "cronzimus:idle"),
        ("leader", "cronzimus:leader"),
        ("firing", "cronzimus:firing"),
        ("ledger", "cronzimus:ledger"),
        ("logs", "cronzimus:logs"),
    ],
)
def test_every_session_can_be_told_by_its_name(pools: Pools, pool: str, name: str) -> None:
    assert setting(pools, pool, "application_name") == name


def test_only_task_functions_may_take_their_time(pools: Pools) -> None:
    assert setting(pools, "tasks", "statement_timeout") == "0"
    assert {setting(pools, pool, "statement_timeout") for pool in ("service", "firing", "ledger")} == {"4s"}
    assert setting(pools, "leader", "statement_timeout") == "2s"


def test_only_statements_by_key_are_kept_from_scanning(pools: Pools) -> None:
    assert {setting(pools, pool, "enable_seqscan") for pool in ("firing", "ledger")} == {"off"}
    assert {setting(pools, pool, "enable_seqscan") for pool in ("service", "tasks", "leader")} == {"on"}


def test_stopped_leader_cannot_hold_the_term_in_a_transaction(pools: Pools) -> None:
    assert {setting(pools, pool, "idle_in_transaction_session_timeout") for pool in ("leader", "firing")} == {
        "3s"
    }


def test_used_up_pool_does_not_stop_the_others(pools: Pools) -> None:
    with pools.tasks.connection(), pools.tasks.connection():
        assert pools.ledger.fetch_one("SELECT 1") == pools.service.fetch_one("SELECT 1") == (1,)


def test_closed_pools_answer_nothing(pools: Pools) -> None:
    pools.close()
    for pool in (pools.service, pools.tasks, pools.leader, pools.firing, pools.ledger, pools.logs):
        with pytest.raises(DatabaseUnavailable):
            pool.fetch_one("SELECT 1")


def test_named_server_is_not_ours_to_look_after(database_url: str) -> None:
    server = Server(DatabaseSettings.model_validate({"url": database_url}))
    server.revive()
    server.release()
    assert server.url == database_url


def test_without_a_name_there_is_one_of_our_own(open_folder: Path) -> None:
    server = Server(DatabaseSettings(data_dir=str(open_folder / "data")))
    server.revive()
    database = Database(server.url, 1)
    assert database.fetch_one("SELECT 1") == (1,)
    database.close()
    server.release()
