"""The limit on guesses holds for all processes together, and ends by itself."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from cronzimus.common.db import Database
from cronzimus.errors import TooMany
from cronzimus.services.attempts import MOST_FOR_A_NAME, MOST_FROM_A_NETWORK, Attempts, network_of


@pytest.fixture
def attempts(database: Database) -> Attempts:
    return Attempts(database)


def counted(database: Database) -> int:
    (count,) = database.fetch_one("SELECT count(*) FROM cronzimus.login_attempts") or (0,)
    return int(count)


def test_a_name_may_be_guessed_so_often_from_anywhere(attempts: Attempts, database: Database) -> None:
    for number in range(MOST_FOR_A_NAME):
        attempts.count("ann", f"192.0.2.{number}")
    with pytest.raises(TooMany) as caught:
        attempts.count("ann", "198.51.100.1")
    assert caught.value.code == "TOO_MANY_ATTEMPTS" and 800 < caught.value.retry_after <= 900
    assert counted(database) == MOST_FOR_A_NAME
    attempts.count("bob", "192.0.2.1")


def test_a_network_may_guess_so_often_whatever_the_name(attempts: Attempts) -> None:
    for number in range(MOST_FROM_A_NETWORK):
        attempts.count(f"name{number}", "2001:db8::1")
    with pytest.raises(TooMany):
        attempts.count("ann", "2001:db8::ffff")
    attempts.count("ann", "2001:db8:0:1::1")


def test_many_at_once_are_no_way_around(attempts: Attempts, database: Database) -> None:
    def guess(number: int) -> None:
        with suppress(TooMany):
            attempts.count("ann", f"192.0.2.{number}")

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(guess, range(40)))
    assert counted(database) == MOST_FOR_A_NAME


def test_who_came_in_starts_afresh_where_they_are(attempts: Attempts, database: Database) -> None:
    attempts.count("ann", "192.0.2.1")
    attempts.count("ann", "198.51.100.1")
    attempts.forgive("ann", "192.0.2.1")
    assert counted(database) == 1


def test_old_guesses_do_not_count(attempts: Attempts, database: Database) -> None:
    for _ in range(MOST_FOR_A_NAME):
        attempts.count("ann", "192.0.2.1")
    database.execute("UPDATE cronzimus.login_attempts SET at = at - interval '15 minutes'")
    attempts.count("ann", "192.0.2.1")
    attempts.prune()
    assert counted(database) == 1


def test_what_was_typed_is_not_kept(attempts: Attempts, database: Database) -> None:
    attempts.count("my password by mistake", None)
    assert "password" not in str(database.fetch_all("SELECT * FROM cronzimus.login_attempts"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("/run/sock", "unknown"),
    ],
)
def test_one_guesser_is_one_line(address: str | None, network: str) -> None:
    assert network_of(address) == network
