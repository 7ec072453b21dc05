"""A worker's rounds with the ledger: report what ended, claim what there is room for, in one transaction."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.event import Event, Topic
from cronzimus.models.run import Claim, Ended, Exchange, Offer, RunState
from cronzimus.services.events import Announce
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.ledger import Claims
from cronzimus.workers.outbox import Outbox
from cronzimus.workers.roster import LiveAttempt, Roster

_LOG = get_logger(__name__)
_LARGEST_ROUND = 1000
# While runs execute, a round is not worth less than this since the last one.
_GATHER_SECONDS = 0.005
# Claims that wait this long for a thread were claimed ahead of runs that turned out to be long.
_HOARDING_SECONDS = 2.0


class Rounds:
    """While idle an id starts at once; under load a round carries what has gathered during the last one.

    How much is claimed: the free places, and `ahead` twice what ended since the last round, so that short runs never
    wait for the ledger. When long ones follow, what was claimed ahead of them goes back to `pending`. Not `ahead`, the
    ledger never sees more runs here than there are places. A round
    the database does not take is repeated with everything it held. Runs of backfills get only what live ones leave,
    and of the `sizes` never more places than the second.
    """

    def __init__(
        self,
        claims: Claims,
        engine: InlineEngine,
        roster: Roster,
        outbox: Outbox,
        *,
        sizes: tuple[int, int],
        accept: Callable[[Claim], None],
        progress: Callable[[], None],
        left: Callable[[Sequence[UUID]], None],
        ahead: bool,
        announce: Announce,
        worker_id: str,
        lease_seconds: float,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self._claims, self._engine, self._roster, self._outbox = claims, engine, roster, outbox
        # Places, and how many of them runs of backfills may take.
        self._size, self._backfill_size = sizes
        self._accept, self._progress = accept, progress
        # Who is told of runs the dispatcher gave us and we do not hold any more.
        self._left, self._ahead = left, ahead
        self._worker_id, self._lease_seconds = worker_id, lease_seconds
        self._announce = announce
        self._closed = False
        self._returning: list[LiveAttempt] = []
        self._outage = False
        self._gather_until = 0.0
        self.claimed = 0
        self.finished = 0
        self.loop = Loop("cronzimus-worker", self._round, on_error=on_error)
        engine.subscribe(self.loop.wake)

    def close(self) -> None:
        """Claim no more, and give back what has not started; reports go on."""
        self._closed = True
        self.loop.wake()

    def _round(self) -> float | None:
        if self._closed or self._returning or self._roster.longest_wait() > _HOARDING_SECONDS:
            self._give_back()
        if (more := self._worth_waiting()) > 0:
            return more
        ended = self._outbox.take(_LARGEST_ROUND)
        room = self._room(len(ended))
        wanted = self._engine.take(room, self._backfill_room()) if room else []
        if not ended and not wanted:
            return self._pause(room)
        self._conclude(ended, wanted, self._exchange(ended, wanted))
        self._gather_until = time.monotonic() + _GATHER_SECONDS
        return 0.0

    def _worth_waiting(self) -> float:
        """Seconds for which more may gather: where nothing is claimed ahead, each short run would be a round."""
        if self._ahead or self._closed or not self._roster.held_count:
            return 0.0
        return self._gather_until - time.monotonic()

    def _pause(self, room: int) -> float | None:
        """Seconds until there may be something to do without anybody waking us."""
        due = self._engine.next_in(of_backfills=self._backfill_room() > 0) if room else None
        if not self._roster.waiting:
            return due
        return _HOARDING_SECONDS if due is None else min(due, _HOARDING_SECONDS)

    def _room(self, ended: int) -> int:
        """How many runs to claim now."""
        if self._closed:
            return 0
        if self._ahead:
            free = self._size - self._roster.running + 2 * ended - self._roster.waiting
        else:
            free = self._size - self._roster.held_count - (len(self._outbox) - ended)
        return max(0, min(free, _LARGEST_ROUND))

    def _backfill_room(self) -> int:
        """How many runs of backfills may be among them."""
        return max(0, self._backfill_size - self._roster.of_backfills)

    def _exchange(self, ended: Sequence[Ended], wanted: Sequence[UUID]) -> Exchange:
        try:
            exchange = self._ask(ended, wanted)
        except DatabaseUnavailable as error:
            self._engine.put_back(wanted)
            self._note_outage(error)
            raise
        except Exception as error:
            _LOG.opt(exception=error).error("The ledger refused a round: its reports are sent one by one")
            exchange = self._one_by_one(ended)
        self._note_recovery()
        return exchange

    def _ask(self, ended: Sequence[Ended], wanted: Sequence[UUID]) -> Exchange:
        return self._claims.exchange(
            ended, wanted, worker_id=self._worker_id, lease_seconds=self._lease_seconds
        )

    def _one_by_one(self, ended: Sequence[Ended]) -> Exchange:
        """One report that cannot be written must not hold up the others; its run ends by its lease."""
        retries: list[Offer] = []
        for one in ended:
            try:
                retries += self._ask([one], []).retries
            except DatabaseUnavailable:
                raise
            except Exception as error:
                _LOG.opt(exception=error).error("The report of run {} was refused", one.run_id)
        return Exchange((), tuple(retries))

    def _conclude(self, ended: Sequence[Ended], wanted: Sequence[UUID], exchange: Exchange) -> None:
        self._outbox.confirm()
        self.finished += len(ended)
        self.claimed += len(exchange.claimed)
        for one in ended:
            self._engine.forget(one.run_id)
            self._announce(Event(Topic.RUN, str(one.run_id), one.job_id, _state_after(one)))
        self._tell_dispatcher([one.run_id for one in ended if one.gated])
        claimed = {claim.run_id for claim in exchange.claimed}
        for run_id in wanted:
            if run_id not in claimed:
                self._engine.forget(run_id)
        if exchange.retries:
            self._engine.offer(exchange.retries)
        for claim in exchange.claimed:
            self._accept(claim)
            self._announce(Event(Topic.RUN, str(claim.run_id), claim.job_id, RunState.RUNNING))
        self._progress()

    def _give_back(self) -> None:
        """What waits for a thread becomes pending again, unspent, and takes its place in line again unless we close."""
        self._returning += self._roster.withdraw_all()
        if self._returning:
            self._claims.release([attempt.held for attempt in self._returning], worker_id=self._worker_id)
            for attempt in self._returning:
                self._return(attempt.claim)
                self._roster.leave(attempt)
            self._tell_dispatcher([a.claim.run_id for a in self._returning if a.claim.gated])
            self._returning = []
        self._progress()

    def _return(self, claim: Claim) -> None:
        """To its place in our line, unless it is no longer ours to claim."""
        if self._closed or claim.gated:
            self._engine.forget(claim.run_id)
        else:
            self._engine.put_back([claim.run_id])

    def _tell_dispatcher(self, run_ids: Sequence[UUID]) -> None:
        if run_ids:
            self._left(run_ids)

    def _note_outage(self, error: Exception) -> None:
        if not self._outage:
            _LOG.warning("The ledger does not answer, reports are kept and sent again: {}", error)
        self._outage = True

    def _note_recovery(self) -> None:
        if self._outage:
            _LOG.info("The ledger answers again")
        self._outage = False


def _state_after(ended: Ended) -> RunState:
    return ended.state if ended.retry_in is None else RunState.PENDING
