from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.event import Event
from cronzimus.models.run import Cause, Claim, Ended, Offer, RunState
from cronzimus.utils.ids import new_id
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.outbox import Outbox
from cronzimus.workers.roster import LiveAttempt, Roster
from cronzimus.workers.rounds import _HOARDING_SECONDS, Rounds
from tests.workers.support import Ledger, definition


class Table:
    """Rounds on a ledger in memory, gone through by the test, with attempts that nobody executes."""

    def __init__(self, size: int = 4, *, ahead: bool = True) -> None:
        self.ledger, self.engine = Ledger(definition(policy={"max_attempts": 3})), InlineEngine()
        self.roster, self.outbox = Roster(), Outbox()
        self.accepted: list[LiveAttempt] = []
        self.progress = 0
        self.announced: list[Event] = []
        self.left: list[UUID] = []
        self.rounds = Rounds(
            self.ledger,
            self.engine,
            self.roster,
            self.outbox,
            sizes=(size, max(1, size // 2)),
            accept=self.accept,
            progress=self.note,
            left=self.left.extend,
            ahead=ahead,
            announce=self.announced.append,
            worker_id="w1",
            lease_seconds=15.0,
            on_error=lambda name, error: None,
        )

    def accept(self, claim: Claim) -> None:
        attempt = LiveAttempt(claim, lambda one: None)
        self.roster.add(attempt)
        self.accepted.append(attempt)

    def note(self) -> None:
        self.progress += 1

    def round(self) -> float | None:
        self.rounds._gather_until = 0.0  # as if the last one were long ago
        return self.rounds._round()

    def offer(self, count: int = 1) -> list[Offer]:
        offers = [Offer(self.ledger.create(), None) for _ in range(count)]
        self.engine.offer(offers)
        return offers

    def start_all(self) -> None:
        for attempt in self.accepted:
            self.roster.start(attempt)

    def end(
        self, attempt: LiveAttempt, state: RunState = RunState.SUCCESS, retry_in: float | None = None
    ) -> None:
        now = datetime.now(UTC)
        self.roster.start(attempt)
        self.roster.settle(attempt)
        self.outbox.add(
            Ended(attempt.claim.run_id, attempt.claim.attempt, state, now, now, retry_in=retry_in)
        )
        self.roster.leave(attempt)


@pytest.fixture
def table() -> Table:
    return Table()


def test_round_claims_what_is_offered(table: Table) -> None:
    offers = table.offer(2)
    assert table.round() == 0.0
    assert [a.claim.run_id for a in table.accepted] == [offer.run_id for offer in offers]
    assert table.rounds.claimed == 2


def test_round_without_anything_to_do_waits_to_be_woken(table: Table) -> None:
    assert table.round() is None
    assert table.ledger.rounds == []


def test_round_claims_no_more_than_there_are_places(table: Table) -> None:
    table.offer(10)
    table.round()
    assert len(table.accepted) == 4


def test_round_claims_nothing_while_every_place_is_taken(table: Table) -> None:
    table.offer(10)
    table.round()
    table.start_all()
    assert table.round() is None
    assert len(table.accepted) == 4


def test_round_counts_waiting_claims_as_taken_places(table: Table) -> None:
    table.offer(10)
    table.round()
    table.round()
    assert len(table.accepted) == 4


def test_round_claims_ahead_when_runs_are_short(table: Table) -> None:
    """Three ended since the last round: three free places and six that will be free in no time."""
    table.offer(100)
    table.round()
    table.start_all()
    for attempt in table.accepted[:3]:
        table.end(attempt)
    table.round()
    assert len(table.accepted) == 4 + 3 + 6


def test_round_grows_with_what_ended(table: Table) -> None:
    table.offer(1000)
    sizes = []
    for _ in range(6):
        table.round()
        sizes.append(len(table.accepted))
        for attempt in table.accepted:
            table.end(attempt)
        table.accepted.clear()
    assert sizes == sorted(sizes) and sizes[0] == 4 and sizes[-1] > 100


def test_round_is_never_larger_than_a_thousand() -> None:
    table = Table(size=2000)
    table.offer(1500)
    table.round()
    assert len(table.accepted) == 1000


def test_round_reports_and_claims_in_one_transaction(table: Table) -> None:
    table.offer(4)
    table.round()
    table.end(table.accepted[0])
    table.offer(1)
    table.round()
    assert table.ledger.rounds == [(0, 4), (1, 1)]
    assert table.rounds.finished == 1


def test_reported_run_may_be_offered_again(table: Table) -> None:
    (offer,) = table.offer()
    table.round()
    table.end(table.accepted[0])
    table.round()
    table.engine.offer([offer])
    assert table.engine.take(1) == [offer.run_id]


def test_run_that_could_not_be_claimed_may_be_offered_again(table: Table) -> None:
    elsewhere = new_id()
    table.engine.offer([Offer(elsewhere, None)])
    table.round()
    assert table.accepted == []
    table.engine.offer([Offer(elsewhere, None)])
    assert table.engine.take(1) == [elsewhere]


def test_retries_are_offered_again(table: Table) -> None:
    (offer,) = table.offer()
    table.round()
    table.end(table.accepted[0], RunState.FAILED, retry_in=0.0)
    table.round()
    table.round()
    assert [(a.claim.run_id, a.claim.attempt) for a in table.accepted] == [
        (offer.run_id, 1),
        (offer.run_id, 2),
    ]


def test_outage_keeps_every_report(table: Table) -> None:
    table.offer(3)
    table.round()
    for attempt in table.accepted:
        table.end(attempt)
    table.ledger.down = True
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            table.round()
    assert len(table.outbox) == 3
    table.ledger.down = False
    table.round()
    assert len(table.ledger.reports) == 3 and len(table.outbox) == 0


def test_outage_keeps_every_offer(table: Table) -> None:
    offers = table.offer(3)
    table.ledger.down = True
    with pytest.raises(DatabaseUnavailable):
        table.round()
    table.ledger.down = False
    table.round()
    assert [a.claim.run_id for a in table.accepted] == [offer.run_id for offer in offers]


def test_reports_during_an_outage_wait_behind_the_older_ones(table: Table) -> None:
    table.offer(2)
    table.round()
    table.end(table.accepted[0])
    table.ledger.down = True
    with pytest.raises(DatabaseUnavailable):
        table.round()
    table.end(table.accepted[1])
    table.ledger.down = False
    table.round()
    assert [r.run_id for r in table.ledger.reports] == [a.claim.run_id for a in table.accepted]


def test_answer_that_was_lost_is_asked_for_again(table: Table) -> None:
    """The commit was applied, the answer never came: the same reports again change nothing."""
    table.offer()
    table.round()
    table.end(table.accepted[0])
    real, lost = table.ledger.exchange, []

    def lossy(*args: object, **kwargs: object) -> object:
        answer = real(*args, **kwargs)  # type: ignore[arg-type]
        if not lost:
            lost.append(answer)
            raise DatabaseUnavailable("the connection broke after the commit")
        return answer

    table.ledger.exchange = lossy  # type: ignore[assignment, method-assign]
    with pytest.raises(DatabaseUnavailable):
        table.round()
    table.round()
    assert len(table.ledger.reports) == 2 and len(table.outbox) == 0
    assert set(table.ledger.states.values()) == {RunState.SUCCESS}


def test_report_that_is_refused_does_not_hold_up_the_others(table: Table) -> None:
    table.offer(4)
    table.round()
    poisonous = table.accepted[1].claim.run_id
    table.ledger.refuses = lambda ended: ended.run_id == poisonous
    for attempt in table.accepted:
        table.end(attempt)
    table.round()
    assert {r.run_id for r in table.ledger.reports} == {a.claim.run_id for a in table.accepted} - {poisonous}
    assert len(table.outbox) == 0


def test_refused_round_lets_its_wanted_runs_come_back(table: Table) -> None:
    table.offer(1)
    table.round()
    table.ledger.refuses = lambda ended: True
    table.end(table.accepted[0])
    (offer,) = table.offer()
    table.round()
    table.ledger.refuses = lambda ended: False
    table.engine.offer([offer])
    table.round()
    assert table.accepted[-1].claim.run_id == offer.run_id


def test_outage_between_single_reports_keeps_them_all(table: Table) -> None:
    table.offer(2)
    table.round()
    for attempt in table.accepted:
        table.end(attempt)
    first = table.accepted[0].claim.run_id

    def refuse(ended: Ended) -> bool:
        table.ledger.down = True
        return ended.run_id == first

    table.ledger.refuses = refuse
    with pytest.raises(DatabaseUnavailable):
        table.round()
    assert len(table.outbox) == 2


def test_closed_rounds_claim_nothing(table: Table) -> None:
    table.rounds.close()
    table.offer(3)
    assert table.round() is None
    assert table.accepted == []


def test_closed_rounds_give_back_what_has_not_started(table: Table) -> None:
    table.offer(4)
    table.round()
    table.roster.start(table.accepted[0])
    table.rounds.close()
    table.round()
    assert table.ledger.released == [a.held for a in table.accepted[1:]]
    assert not table.roster.is_empty, "one still runs"


def test_closed_rounds_still_report(table: Table) -> None:
    table.offer()
    table.round()
    table.rounds.close()
    table.end(table.accepted[0])
    table.round()
    assert len(table.ledger.reports) == 1


def test_closed_rounds_give_back_again_after_an_outage(table: Table) -> None:
    table.offer(2)
    table.round()
    table.rounds.close()
    table.ledger.down = True
    with pytest.raises(DatabaseUnavailable):
        table.round()
    assert not any(table.roster.start(a) for a in table.accepted), "withdrawn, so they must not start"
    assert set(table.roster.held()) == {
        a.held for a in table.accepted
    }, "and their leases are kept until then"
    table.ledger.down = False
    table.round()
    assert len(table.ledger.released) == 2
    assert table.roster.is_empty


def claimed_ahead(table: Table) -> list[LiveAttempt]:
    """Short runs made the worker claim ahead; now every place is taken by a long one."""
    table.offer(100)
    table.round()
    for attempt in table.accepted[:3]:
        table.end(attempt)
    table.round()
    started, ahead = table.accepted[3:7], table.accepted[7:]
    for attempt in started:
        table.roster.start(attempt)
    assert len(started) == 4 and len(ahead) == 6
    return ahead


def test_claims_ahead_of_long_runs_go_back(table: Table) -> None:
    ahead = claimed_ahead(table)
    assert table.round() == _HOARDING_SECONDS, "nobody wakes us for this"
    ahead[0].claimed_at -= _HOARDING_SECONDS + 1
    assert table.round() is None
    assert table.ledger.released == [a.held for a in ahead]
    assert {table.ledger.attempts[a.claim.run_id] for a in ahead} == {0}


def test_claims_that_went_back_come_when_there_is_room(table: Table) -> None:
    ahead = claimed_ahead(table)
    ahead[0].claimed_at -= _HOARDING_SECONDS + 1
    table.round()
    count = len(table.accepted)
    table.roster.settle(table.accepted[3])
    table.roster.leave(table.accepted[3])
    table.round()
    assert len(table.accepted) == count + 1


def test_claims_go_back_after_an_outage_too(table: Table) -> None:
    ahead = claimed_ahead(table)
    ahead[0].claimed_at -= _HOARDING_SECONDS + 1
    table.ledger.down = True
    with pytest.raises(DatabaseUnavailable):
        table.round()
    table.ledger.down = False
    table.round()
    assert len(table.ledger.released) == 6


def test_given_back_run_may_be_offered_again(table: Table) -> None:
    (offer,) = table.offer()
    table.round()
    table.rounds.close()
    table.round()
    table.engine.offer([offer])
    assert table.engine.take(1) == [offer.run_id]


def test_progress_is_told_after_each_round(table: Table) -> None:
    table.offer()
    table.round()
    assert table.progress == 1


def test_rounds_announce_what_began_and_what_ended(table: Table) -> None:
    table.offer()
    table.round()
    (attempt,) = table.accepted
    table.end(attempt, RunState.FAILED, retry_in=1.0)
    table.round()
    assert [(event.id, event.state) for event in table.announced] == [
        (str(attempt.claim.run_id), "running"),
        (str(attempt.claim.run_id), "pending"),
    ]


def test_runs_of_backfills_take_half_of_the_places_and_what_live_ones_leave(table: Table) -> None:
    def offer(backfill: bool, count: int) -> None:
        cause = Cause.BACKFILL if backfill else Cause.SCHEDULE
        offers = [Offer(table.ledger.create(cause=cause), None, backfill) for _ in range(count)]
        table.engine.offer(offers)

    offer(True, 10)
    table.round()
    assert [a.claim.backfill for a in table.accepted] == [True, True]
    table.round()
    assert len(table.accepted) == 2
    offer(False, 10)
    table.round()
    assert [a.claim.backfill for a in table.accepted[2:]] == [False, False]
    table.end(table.accepted[0])
    table.round()
    assert not any(a.claim.backfill for a in table.accepted[4:])
    for attempt in list(table.accepted):
        if table.roster.find(attempt.held):
            table.end(attempt)
    while len(table.accepted) < 12:
        table.round()
    assert table.roster.of_backfills <= 2


# --- never above the places there are ----------------------------------------------------------------


@pytest.fixture
def modest() -> Table:
    """A table that claims nothing ahead."""
    return Table(ahead=False)


def test_modest_rounds_claim_one_for_each_that_ended(modest: Table) -> None:
    modest.offer(20)
    modest.round()
    modest.start_all()
    for attempt in modest.accepted[:3]:
        modest.end(attempt)
    modest.round()
    assert len(modest.accepted) == 7


def test_modest_rounds_let_short_runs_come_together(modest: Table) -> None:
    modest.offer(20)
    modest.round()
    modest.start_all()
    for attempt in modest.accepted[:3]:
        modest.end(attempt)
    pause = modest.rounds._round()
    assert pause is not None and pause > 0 and len(modest.accepted) == 4
    modest.round()
    assert len(modest.accepted) == 7


def test_modest_rounds_wait_for_nobody_where_nothing_runs(modest: Table) -> None:
    modest.offer(1)
    modest.round()
    modest.start_all()
    modest.end(modest.accepted[0])
    modest.rounds._round()
    assert modest.roster.held_count == 0
    modest.offer(1)
    modest.rounds._round()
    assert len(modest.accepted) == 2


def test_modest_rounds_count_what_ended_and_is_not_reported_yet(modest: Table) -> None:
    """An attempt between its end and its report is `running` in the ledger."""
    modest.offer(20)
    modest.round()
    modest.start_all()
    leaving = modest.accepted[0]
    modest.roster.settle(leaving)
    modest.end(modest.accepted[1])
    modest.round()
    assert len(modest.accepted) == 5
    modest.roster.leave(leaving)
    modest.round()
    assert len(modest.accepted) == 6


def test_modest_rounds_count_reports_that_came_too_late_for_this_one(
    modest: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    modest.offer(20)
    modest.round()
    modest.start_all()
    take = modest.outbox.take

    def take_and_end(limit: int) -> list[Ended]:
        taken = take(limit)
        modest.end(modest.accepted[1])
        return taken

    modest.end(modest.accepted[0])
    with monkeypatch.context() as patched:
        patched.setattr(modest.outbox, "take", take_and_end)
        modest.round()
    assert len(modest.accepted) == 5


def test_modest_rounds_never_hold_more_than_there_are_places_during_an_outage(modest: Table) -> None:
    modest.offer(20)
    modest.round()
    modest.start_all()
    modest.ledger.down = True
    for attempt in modest.accepted[:4]:
        modest.end(attempt)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            modest.round()
    modest.ledger.down = False
    modest.round()
    running = [state for state in modest.ledger.states.values() if state is RunState.RUNNING]
    assert len(running) == 4


# --- runs of the dispatcher --------------------------------------------------------------------------


def gated(attempt: LiveAttempt) -> None:
    """Let an attempt be one of a run that the dispatcher gave."""
    attempt.claim = replace(attempt.claim, gated=True)


def test_dispatcher_hears_of_its_runs_that_ended_and_of_no_others(table: Table) -> None:
    table.offer(2)
    table.round()
    first, second = table.accepted
    now = datetime.now(UTC)
    for attempt in (first, second):
        table.roster.start(attempt)
        table.roster.settle(attempt)
        ended = Ended(attempt.claim.run_id, 1, RunState.SUCCESS, now, now, gated=attempt is second)
        table.outbox.add(ended)
        table.roster.leave(attempt)
    table.round()
    assert table.left == [second.claim.run_id]


def test_dispatcher_hears_of_its_runs_that_were_given_back_and_they_are_not_offered_here(
    table: Table,
) -> None:
    table.offer(2)
    table.round()
    gated(table.accepted[0])
    for attempt in table.accepted:
        attempt.claimed_at -= _HOARDING_SECONDS + 1
    table.rounds._give_back()
    assert table.left == [table.accepted[0].claim.run_id]
    assert table.engine.take(9) == [table.accepted[1].claim.run_id]
