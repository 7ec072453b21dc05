"""The term: won once, kept while it may be trusted, lost rather than doubted."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.leader import Term
from cronzimus.services.leadership import Leadership


class Replica:
    """A candidate with its own session, as in life."""

    def __init__(self, url: str, name: str, term_seconds: float = 6.0) -> None:
        self.events: list[str] = []
        self.database = Database(url, 1, application_name=f"cz-{name}")
        self.leadership = Leadership(
            self.database,
            name,
            term_seconds=term_seconds,
            on_gain=lambda term: self.events.append(f"gain {term.epoch}"),
            on_lose=lambda: self.events.append("lose"),
        )

    @property
    def leads(self) -> bool:
        return self.leadership.term is not None


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Replica, Replica]]:
    """Two candidates."""
    replicas = Replica(database_url, "one"), Replica(database_url, "two")
    yield replicas
    for replica in replicas:
        replica.database.close()


def test_first_to_ask_leads_and_the_second_stands_by(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    two.leadership.step()
    assert one.leads and not two.leads
    assert one.events == ["gain 1"] and two.events == []
    assert two.leadership.current() == ("one", 1, True)


def test_renewal_keeps_the_epoch_and_tells_nobody_again(pair: tuple[Replica, Replica]) -> None:
    one, _ = pair
    for _ in range(3):
        one.leadership.step()
    assert one.events == ["gain 1"]
    assert one.leadership.term is not None and one.leadership.term.epoch == 1


def test_resigned_term_passes_on_at_once_with_a_new_epoch(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    one.leadership.resign()
    two.leadership.step()
    assert not one.leads and two.leads
    assert one.events == ["gain 1", "lose"] and two.events == ["gain 2"]
    one.leadership.step()
    assert not one.leads


def test_term_that_ran_out_passes_on(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    two.database.execute("UPDATE cronzimus.leaders SET expires_at = clock_timestamp() - interval '1 ms'")
    two.leadership.step()
    assert two.leads
    one.leadership.step()
    assert not one.leads and one.events[-1] == "lose"


def test_holder_whose_session_is_gone_is_replaced_without_waiting(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    one.database.close()
    deadline = time.monotonic() + 10
    while not two.leads:
        two.leadership.step()
        assert time.monotonic() < deadline
    assert two.leadership.term is not None and two.leadership.term.epoch == 2


def test_holder_that_lives_is_not_replaced(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    for _ in range(5):
        two.leadership.step()
    assert not two.leads


def test_trust_is_counted_from_before_the_question(database_url: str) -> None:
    slow = Replica(database_url, "slow", term_seconds=0.4)
    question = slow.database.fetch_one

    def delayed(*args: object, **kwargs: object) -> object:
        answer = question(*args, **kwargs)  # type: ignore[arg-type]
        time.sleep(0.5)
        return answer

    slow.database.fetch_one = delayed  # type: ignore[method-assign,assignment]
    slow.leadership.step()
    assert not slow.leads
    slow.database.close()


def test_database_that_is_away_is_trusted_until_the_deadline_only(database_url: str) -> None:
    cut = Replica(database_url, "cut", term_seconds=0.6)
    cut.leadership.step()
    assert cut.leads

    def away(*_: object, **__: object) -> object:
        raise DatabaseUnavailable("cut off")

    cut.database.fetch_one = away  # type: ignore[method-assign,assignment]
    cut.leadership.step()
    assert cut.events == ["gain 1"]
    deadline = time.monotonic() + 10
    while cut.events[-1] != "lose":
        cut.leadership.step()
        assert time.monotonic() < deadline
    assert not cut.leads
    cut.database.close()


def test_replica_that_may_not_lead_keeps_its_pulse_and_no_term(database_url: str) -> None:
    database = Database(database_url, 1)
    leadership = Leadership(database, "idle", may_lead=lambda: False)
    leadership.step()
    assert leadership.term is None and leadership.last_contact is not None
    assert leadership.current() is None
    database.close()


def test_uninterrupted_term_remembers_when_it_began(pair: tuple[Replica, Replica]) -> None:
    one, _ = pair
    one.leadership.step()
    began = one.leadership.term
    one.leadership.step()
    assert began is not None and one.leadership.term is not None
    assert one.leadership.term.started == began.started
    assert one.leadership.term.trusted_until > began.trusted_until


def test_many_candidates_at_once_make_one_leader(database_url: str) -> None:
    replicas = [Replica(database_url, f"r{n}") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda replica: replica.leadership.step(), replicas))
    assert sum(replica.leads for replica in replicas) == 1
    for replica in replicas:
        replica.database.close()


def test_fenced_row_cannot_be_taken_while_a_firing_commits(pair: tuple[Replica, Replica]) -> None:
    one, two = pair
    one.leadership.step()
    term = one.leadership.term
    assert isinstance(term, Term)
    fence = "SELECT 1 FROM cronzimus.leaders WHERE holder = %(holder)s AND epoch = %(epoch)s FOR SHARE"
    with psycopg.connect(one.database.url) as session:
        session.execute(fence, one.leadership.fence(term))
        two.database.execute("SET lock_timeout = '50ms'")
        with pytest.raises(DatabaseUnavailable):
            two.database.execute("UPDATE cronzimus.leaders SET epoch = epoch + 1")
