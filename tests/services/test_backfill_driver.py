"""Backfills open runs as there is room: once each, never beside live work, whoever leads."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cronzimus.models.backfill import Backfill, BackfillRequest
from cronzimus.models.event import Event
from cronzimus.models.run import Offer, RunState
from cronzimus.services.backfill_driver import BackfillDriver
from cronzimus.services.backfills import Backfills
from tests.heart import Heart

HOURLY = {"type": "interval", "hours": 1}
START = datetime(2026, 3, 2, tzinfo=UTC)
ALLOW = {"overlap": "allow"}


class Driven:
    """Backfills and a driver on one replica."""

    def __init__(self, heart: Heart) -> None:
        self.heart = heart
        self.offered: list[Offer] = []
        self.announced: list[Event] = []
        self.backfills = Backfills(heart.database, heart.timetable, heart.definitions)
        self.driver = BackfillDriver(
            heart.database,
            heart.definitions,
            self.offered.extend,
            lambda: heart.leadership.term,
            heart.leadership.fence,
            retention_days=30,
            announce=self.announced.append,
        )

    def start(self, hours: int = 4, **fields: Any) -> UUID:
        ends = START + timedelta(hours=hours - 1)
        document = {"job_id": "a", "from": START, "to": ends, **fields}
        return self.backfills.start(BackfillRequest.model_validate(document), by="ann").id

    def opened(self) -> list[Offer]:
        """What one step opens."""
        del self.offered[:]
        self.driver.step()
        return list(self.offered)

    def finish(self, offers: list[Offer], state: RunState = RunState.SUCCESS) -> None:
        for claim in self.heart.claim(offers):
            self.heart.end(claim, state)

    def look(self, backfill_id: UUID) -> Backfill:
        return self.backfills.get(backfill_id)

    def due(self, offers: list[Offer]) -> list[int]:
        return [(self.heart.history.run(o.run_id).due_at or START).hour for o in offers]


@pytest.fixture
def driven(heart: Heart) -> Driven:
    """A house with a job that may overlap itself."""
    heart.add(trigger=HOURLY, policy=ALLOW, priority=5, queue="slow")
    return Driven(heart)


def test_runs_open_as_earlier_ones_end_until_all_are_done(driven: Driven) -> None:
    backfill = driven.start(5, max_running=2)
    first = driven.opened()
    assert driven.due(first) == [0, 1] and all(offer.backfill for offer in first)
    assert driven.opened() == []
    driven.finish(first[:1])
    second = driven.opened()
    assert driven.due(second) == [2]
    driven.finish(second + first[1:], RunState.FAILED)
    third = driven.opened()
    assert driven.due(third) == [3, 4]
    progress = driven.look(backfill)
    assert (progress.total, progress.done, progress.failed, progress.running, progress.left) == (
        5,
        1,
        2,
        2,
        0,
    )
    driven.finish(third)
    assert driven.opened() == []
    progress = driven.look(backfill)
    assert (progress.state, progress.done, progress.failed) == ("done", 3, 2) and progress.ended_at
    assert driven.driver.busy and driven.driver.step() == 1.0 and not driven.driver.busy


def test_run_knows_its_instant_and_what_the_job_and_the_backfill_say(driven: Driven) -> None:
    driven.start(1, params={"day": "monday"})
    (offer,) = driven.opened()
    run = driven.heart.history.run(offer.run_id)
    assert (run.cause, run.due_at, run.params, run.job_version) == ("backfill", START, {"day": "monday"}, 1)
    assert (run.priority, run.queue) == (5, "slow")
    assert driven.heart.history.firings().total == 0


def test_reverse_begins_with_the_latest(driven: Driven) -> None:
    driven.start(4, reverse=True, max_running=3)
    assert driven.due(driven.opened()) == [3, 2, 1]


def test_paused_backfill_opens_nothing_and_goes_on_where_it_was(driven: Driven) -> None:
    backfill = driven.start(4)
    first = driven.opened()
    driven.backfills.pause(backfill, by="ann")
    driven.finish(first)
    assert driven.opened() == [] and driven.look(backfill).done == 1
    driven.backfills.resume(backfill, by="ann")
    assert driven.due(driven.opened()) == [1]


def test_cancelled_backfill_ends_what_waits_and_stops_what_runs(driven: Driven) -> None:
    backfill = driven.start(4, max_running=2)
    waiting, running = driven.opened()
    (claim,) = driven.heart.claim([running])
    driven.backfills.cancel(backfill, by="ann")
    assert driven.heart.state_of(waiting.run_id) == "cancelled"
    assert driven.heart.history.run(running.run_id).cancel_requested_at is not None
    assert driven.opened() == []
    driven.heart.end(claim, RunState.CANCELLED)
    driven.opened()
    progress = driven.look(backfill)
    assert (progress.state, progress.failed, progress.running, progress.left) == ("cancelled", 2, 0, 2)


def test_replica_that_does_not_lead_opens_nothing(driven: Driven, other: Heart) -> None:
    driven.start()
    second = Driven(other)
    assert second.opened() == []
    stale = driven.heart.leadership.term
    assert stale is not None
    driven.heart.leadership.resign()
    other.lead()
    second.driver.step()
    assert len(second.offered) == 1
    believing = BackfillDriver(
        driven.heart.database,
        driven.heart.definitions,
        driven.offered.extend,
        lambda: stale,
        driven.heart.leadership.fence,
        retention_days=30,
    )
    second.finish(second.offered)
    believing.step()
    assert driven.offered == []
    assert driven.heart.history.runs(cause="backfill").total == 1


def test_a_new_leader_goes_on_and_no_instant_runs_twice(driven: Driven, other: Heart) -> None:
    backfill = driven.start(6, max_running=2)
    driven.finish(driven.opened())
    driven.opened()
    driven.heart.leadership.resign()
    other.lead()
    second = Driven(other)
    while second.look(backfill).state == "running":
        second.opened()
        for (run_id,) in other.database.fetch_all("SELECT id FROM cronzimus.runs WHERE state = 'pending'"):
            second.finish([Offer(run_id, None)])
    due = [run.due_at for run in other.history.runs(cause="backfill").items]
    assert len(due) == len(set(due)) == 6


def test_exclusive_job_waits_its_turn(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    driven = Driven(heart)
    driven.start(3, max_running=3)
    live = heart.runs.trigger("a", by="ann")
    assert driven.opened() == []
    driven.finish([Offer(live.id, None)])
    (only,) = driven.opened()
    assert driven.opened() == []
    driven.finish([only])
    assert len(driven.opened()) == 1


def test_held_run_of_a_blackout_blocks_no_backfill(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    heart.database.execute("UPDATE cronzimus.jobs SET status = 'active'")
    live = heart.runs.trigger("a", by="ann")
    heart.database.execute("UPDATE cronzimus.runs SET not_before = now() + interval '1 hour'")
    driven = Driven(heart)
    driven.start(1)
    assert len(driven.opened()) == 1 and heart.state_of(live.id) == "pending"


def test_firing_counts_no_run_of_a_backfill_as_an_earlier_one(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    driven = Driven(heart)
    driven.start(1)
    driven.opened()
    heart.make_due("a")
    assert len(heart.fire()) == 1


def test_firings_wait_for_a_run_of_a_backfill_and_are_not_skipped(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    driven = Driven(heart)
    driven.start(1)
    (filling,) = heart.claim(driven.opened())
    live = []
    for seconds in (2, 1):
        heart.make_due("a", f"date_trunc('second', clock_timestamp()) - interval '{seconds} seconds'")
        live += heart.fire()
    assert len(live) == 2 and heart.claim(live) == ()
    assert {row.decision for row in heart.history.firings().items} == {"fired"}
    heart.end(filling)
    (first,) = heart.claim(live)
    heart.make_due("a")
    assert heart.fire() == []
    heart.end(first)


def test_live_run_goes_before_an_older_one_of_a_backfill(heart: Heart) -> None:
    heart.add(trigger=HOURLY)
    driven = Driven(heart)
    driven.start(1)
    (older,) = driven.opened()
    heart.make_due("a")
    (live,) = heart.fire()
    (claim,) = heart.claim([older, live])
    assert claim.run_id == live.run_id and not claim.backfill
    (behind,) = heart.end(claim)
    assert behind == Offer(older.run_id, None, True)


def test_replacing_leaves_backfills_alone(heart: Heart) -> None:
    heart.add(trigger=HOURLY, policy={"overlap": "replace"})
    driven = Driven(heart)
    driven.start(1)
    (older,) = driven.opened()
    first = heart.runs.trigger("a", by="ann")
    heart.make_due("a")
    heart.fire()
    assert (heart.state_of(older.run_id), heart.state_of(first.id)) == ("pending", "cancelled")


def test_lost_offer_is_sent_again_in_its_lane(driven: Driven) -> None:
    driven.start(1)
    (offer,) = driven.opened()
    driven.heart.upkeep.resend()
    assert driven.heart.offered == [offer]


def test_backfill_of_a_job_that_is_gone_is_given_up(driven: Driven, heart: Heart) -> None:
    backfill = driven.start(3)
    driven.opened()
    heart.timetable.remove("a", by="ann")
    heart.database.execute("DELETE FROM cronzimus.job_versions WHERE job_id = 'a'")
    forgetful = Driven(Heart(heart.database, name="new"))
    heart.leadership.resign()
    forgetful.heart.lead()
    forgetful.opened()
    assert driven.look(backfill).state == "cancelled"


def test_each_step_says_what_changed(driven: Driven) -> None:
    backfill = driven.start(1)
    offers = driven.opened()
    driven.finish(offers)
    driven.opened()
    told = [(event.topic, event.id, event.state) for event in driven.announced]
    assert told == [
        ("backfill", str(backfill), "running"),
        ("run", str(offers[0].run_id), "pending"),
        ("backfill", str(backfill), "done"),
    ]


def test_old_backfills_are_pruned(driven: Driven, heart: Heart) -> None:
    backfill = driven.start(1)
    driven.backfills.cancel(backfill, by="ann")
    old: Callable[[int], str] = (
        lambda days: f"UPDATE cronzimus.backfills SET ended_at = now() - interval '{days} days'"
    )
    heart.database.execute(old(29))
    driven.driver.step()
    assert driven.backfills.list().total == 1
    heart.database.execute(old(31))
    driven.driver._pruned_at = None
    driven.driver.step()
    assert driven.backfills.list().total == 0
