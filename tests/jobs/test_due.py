"""The wake-up never raises, never loses, and offers only what is committed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.errors import DatabaseUnavailable
from cronzimus.jobs.due import WakeUp
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import Offer
from cronzimus.services.decide import Plan
from cronzimus.services.firing import DueJob
from tests.heart import Heart


class Pulled:
    """A wake-up on real services, driven by hand as APScheduler's loop drives it."""

    def __init__(self, heart: Heart, batch_size: int = 1000, backlog: int = 0) -> None:
        self.offers: list[Offer] = []
        self.heart = heart
        self.took: list[float] = []
        self.wake_up = WakeUp(
            heart.firing,
            lambda: heart.leadership.term,
            self.offer,
            batch_size=batch_size,
            poll_seconds=1.0,
            backlog=lambda: backlog,
            observe=self.took.append,
        )

    def offer(self, offers: Sequence[Offer]) -> None:
        self.offers.extend(offers)

    def round(self) -> float:
        """One wake-up; seconds until the next."""
        for entry in self.wake_up.look():
            assert entry._get_run_times(datetime.now(UTC)) == [entry.due.due_at]
            self.wake_up.decide(entry)
            following = entry.trigger.get_next_fire_time(entry.due.due_at, datetime.now(UTC))
            if following is not None:
                entry._modify(next_run_time=following)
        return (self.wake_up.commit() - datetime.now(UTC)).total_seconds()


@pytest.fixture
def pulled(heart: Heart) -> Pulled:
    return Pulled(heart)


def test_due_job_is_offered_after_its_commit(pulled: Pulled) -> None:
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    pulled.heart.make_due("a")
    assert pulled.round() <= 1.0
    (offer,) = pulled.offers
    assert pulled.heart.state_of(offer.run_id) == "pending"


def test_wake_up_with_something_to_decide_is_measured(pulled: Pulled) -> None:
    pulled.round()
    assert pulled.took == []
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    pulled.heart.make_due("a")
    pulled.round()
    assert len(pulled.took) == 1 and 0 < pulled.took[0] < 30


def test_quiet_timetable_waits_no_longer_than_the_poll(pulled: Pulled) -> None:
    assert 0.5 < pulled.round() <= 1.0


def test_next_instant_is_waited_for_exactly(pulled: Pulled) -> None:
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    pulled.heart.make_due("a", "clock_timestamp() + interval '0.5 seconds'")
    assert pulled.round() <= 0.5


def test_full_batch_is_followed_at_once(heart: Heart) -> None:
    pulled = Pulled(heart, batch_size=2)
    for name in ("a", "b", "c"):
        heart.add(name, trigger={"type": "interval", "hours": 1})
        heart.make_due(name)
    assert pulled.round() <= 0 and len(pulled.offers) == 2
    pulled.round()
    assert len(pulled.offers) == 3


@pytest.mark.parametrize(
    ("backlog", "shortest", "longest"), [(2, -1.0, 0.0), (3, 0.05, 0.125), (99, 0.15, 0.25)]
)
def test_worker_that_falls_behind_is_given_time(
    heart: Heart, backlog: int, shortest: float, longest: float
) -> None:
    pulled = Pulled(heart, batch_size=2, backlog=backlog)
    for name in ("a", "b"):
        heart.add(name, trigger={"type": "interval", "hours": 1})
        heart.make_due(name)
    assert shortest <= pulled.round() <= longest


def test_replica_without_the_term_looks_at_nothing(pulled: Pulled) -> None:
    pulled.heart.add()
    pulled.heart.make_due("a")
    pulled.heart.leadership.resign()
    assert pulled.wake_up.look() == []
    pulled.round()
    assert pulled.heart.history.firings().total == 0


@pytest.mark.parametrize("method", ["due", "commit", "seconds_to_next"])
@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), RuntimeError("bug"), KeyError("x")])
def test_trouble_anywhere_is_survived_and_loses_nothing(
    pulled: Pulled, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    due_at = pulled.heart.make_due("a")

    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(pulled.heart.firing, method, fail)
        assert pulled.round() <= 1.0
    if pulled.heart.timetable.get("a").status == "active":
        pulled.round()
        assert [row.due_at for row in pulled.heart.history.firings(decision="fired").items] == [due_at]


def test_job_that_cannot_be_decided_breaks_alone(pulled: Pulled, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bad", "good"):
        pulled.heart.add(name, trigger={"type": "interval", "hours": 1})
        pulled.heart.make_due(name)
    decide = pulled.heart.firing.decide

    def choosy(job: DueJob, now: datetime) -> Plan:
        if job.definition.id == "bad":
            raise OverflowError("too far")
        return decide(job, now)

    monkeypatch.setattr(pulled.heart.firing, "decide", choosy)
    pulled.round()
    assert pulled.heart.timetable.get("bad").status == "broken"
    assert "too far" in (pulled.heart.timetable.get("bad").status_reason or "")
    assert len(pulled.offers) == 1


def test_plan_the_database_refuses_does_not_hold_up_the_others(pulled: Pulled) -> None:
    for name in ("bad", "good"):
        pulled.heart.add(name, trigger={"type": "interval", "hours": 1})
        pulled.heart.make_due(name)
    pulled.heart.database.execute(
        "ALTER TABLE cronzimus.firings ADD CONSTRAINT no_bad CHECK (job_id <> 'bad') NOT VALID"
    )
    pulled.round()
    assert pulled.heart.timetable.get("bad").status == "broken"
    assert [run.job_id for run in pulled.heart.history.runs().items] == ["good"]


def test_completed_wake_ups_are_the_sign_of_life(pulled: Pulled) -> None:
    before = pulled.wake_up.last_completed
    pulled.round()
    assert pulled.wake_up.last_completed > before


def test_lost_answer_to_a_commit_neither_doubles_nor_loses(
    pulled: Pulled, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    pulled.heart.make_due("a")
    commit = pulled.heart.firing.commit

    def lost(*args: Any) -> None:
        commit(*args)
        raise DatabaseUnavailable("the answer was lost")

    with monkeypatch.context() as broken:
        broken.setattr(pulled.heart.firing, "commit", lost)
        pulled.round()
    assert pulled.offers == []
    pulled.round()
    assert pulled.heart.history.runs().total == 1
    assert pulled.heart.upkeep.resend() == 1


def test_far_away_clock_of_this_machine_decides_nothing(pulled: Pulled) -> None:
    pulled.heart.add(trigger={"type": "interval", "hours": 1})
    pulled.heart.make_due("a")
    assert len(pulled.wake_up.look()) == 1
    assert isinstance(pulled.heart.definitions.get("a", 1), JobDefinition)
    assert pulled.wake_up.look()[0].next_run_time is not None
    assert pulled.wake_up.look()[0].due.due_at <= datetime.now(UTC) + timedelta(seconds=1)
