"""One round of the dispatcher: what waits is looked at by rank, and goes to a worker or is held with its reason."""

from collections.abc import Iterable, Mapping

from cronzimus.models.job import JobDefinition, RunsOn
from cronzimus.models.kinds import Kind
from cronzimus.models.placement import Spread, Strategy
from cronzimus.models.run import Cause
from cronzimus.services.definitions import Definitions
from cronzimus.workers.dispatch import HELD_BY_WORKERS, Board, Wanted, Wishes, parts_of
from cronzimus.workers.dispatching import Dispatching, Given, Held, Waiting
from cronzimus.workers.limits import Usage, takes_of, wish_of

_LARGEST = 500
_PASSES = 20
_MOST_KEYS = 1000


class DispatchRound:
    """Made for one transaction that holds the lock; `given` is what it gave away."""

    def __init__(
        self,
        ledger: Dispatching,
        definitions: Definitions,
        board: Board,
        *,
        budget: int,
        asks_for_last: bool,
        after: str = "",
    ) -> None:
        """At most `budget` runs are given away; `asks_for_last` when the default strategy looks at who was last.

        Where runs wait for very many things, a round looks at some of them, from behind `after` on.
        """
        self._ledger, self._definitions, self._board = ledger, definitions, board
        self._usage: Usage = ledger.usage()
        self._budget, self._asks_for_last = budget, asks_for_last
        self._was_cut = False
        self.after = after
        self.given: list[Given] = []
        self.nobody_for: set[str] = set()

    def carry_out(self) -> None:
        """Look at what is held and may go on, then at what waits, until there is no room or nothing left."""
        self._let_go()
        for runs_on in RunsOn:
            self._look_through(runs_on)
        if self.given:
            self._ledger.note_turns(self._board.turns)

    def _look_through(self, runs_on: RunsOn) -> None:
        for _ in range(_PASSES):
            limit = min(self._limit(runs_on), _LARGEST)
            waiting = self._ledger.waiting(runs_on, limit) if limit > 0 else []
            if not waiting:
                return
            was_cut = self._judge(waiting)
            if len(waiting) < limit and not was_cut:
                return

    def _limit(self, runs_on: RunsOn) -> int:
        """Where nobody is there at all what waits is looked at all the same, so that it says why it waits."""
        left = self._budget - len(self.given)
        return min(left, self._board.room(runs_on)) if self._board.has(runs_on) else left

    def _let_go(self) -> None:
        counts = {key: self._free_of(key) for key in self._some_keys()}
        free = {key: count for key, count in counts.items() if count > 0}
        if free:
            self._ledger.let_go(free)

    def _some_keys(self) -> list[str]:
        """The next ones in order, from the first again behind the last: none is left out for ever."""
        keys = self._ledger.held_keys(self.after, _MOST_KEYS)
        if self.after and len(keys) < _MOST_KEYS:
            keys += self._ledger.held_keys("", _MOST_KEYS - len(keys))
        self.after = keys[-1] if len(keys) == _MOST_KEYS else ""
        return keys

    def _free_of(self, key: str) -> int:
        if not key.startswith(HELD_BY_WORKERS):
            return min(self._usage.free_of(key), _LARGEST)
        wishes = Wishes.read(key)
        if not self._board.those_for(wishes):
            self.nobody_for.add(key)
        return min(self._board.free_for(wishes), _LARGEST)

    def _judge(self, waiting: list[Waiting]) -> bool:
        """Whether there are new runs to look at, as one was cut into parts."""
        definitions = self._definitions.get_many((run.job_id, run.job_version) for run in waiting)
        known = {
            run.run_id: found
            for run in waiting
            if isinstance(found := definitions.get((run.job_id, run.job_version)), JobDefinition)
        }
        last = self._last_workers(known.values())
        before, held = len(self.given), []
        for run in waiting:
            definition = known.get(run.run_id)
            verdict = self._broken(run) if definition is None else self._place(run, definition, last)
            held.append(verdict) if isinstance(verdict, Held) else self.given.append(verdict)
        if held:
            self._ledger.hold(held)
        if self.given[before:]:
            self._ledger.dispatch(self.given[before:])
        was_cut, self._was_cut = self._was_cut, False
        return was_cut

    def _place(self, run: Waiting, definition: JobDefinition, last: Mapping[str, str | None]) -> Given | Held:
        backfill = run.cause == Cause.BACKFILL
        wishes = Wishes.of(definition, run.queue, run.pinned_to, backfill)
        if definition.placement.spread is not Spread.ONE and run.part is None:
            pins = parts_of(definition, wishes, self._board)
            if not pins:
                return self._nobody_for(run, wishes)
            self._ledger.cut(run.run_id, pins)
            self._was_cut |= len(pins) > 1
            wishes = Wishes.of(definition, run.queue, pins[0], backfill)
        wish = wish_of(definition, run.params, run.queue, run.queued_at)
        refusal = self._usage.refusal(wish)
        if refusal is not None:
            return Held(run.run_id, refusal)
        wanted = Wanted(run.run_id, run.job_id, wishes, definition.placement.strategy, last.get(run.job_id))
        worker = self._board.give(wanted)
        if worker is None:
            return self._nobody_for(run, wishes)
        self._usage.take(wish)
        return Given(run.run_id, worker, takes_of(wish), wish.rate)

    def _broken(self, run: Waiting) -> Given | Held:
        """A definition that cannot be loaded asks for nothing: whoever has room finds that out and says so."""
        wishes = [Wishes(where, Kind.FUNCTION, run.queue) for where in RunsOn]
        for one in wishes:
            worker = self._board.give(Wanted(run.run_id, run.job_id, one))
            if worker is not None:
                return Given(run.run_id, worker)
        return self._nobody_for(run, wishes[-1])

    def _nobody_for(self, run: Waiting, wishes: Wishes) -> Held:
        if not self._board.those_for(wishes):
            self.nobody_for.add(wishes.held_by)
        return Held(run.run_id, wishes.held_by)

    def _last_workers(self, definitions: Iterable[JobDefinition]) -> Mapping[str, str | None]:
        asking = {
            definition.id
            for definition in definitions
            if definition.placement.strategy is Strategy.TASK_TYPE_AFFINITY
            or (self._asks_for_last and definition.placement.strategy is None)
        }
        return self._ledger.last_workers(asking) if asking else {}
