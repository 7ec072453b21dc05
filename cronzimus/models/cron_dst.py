"""From wall-clock times to instants: what a cron line does where a zone's clock jumps."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from cronzimus.models.cron import CronTable
from cronzimus.models.cron_zone import DAY, Era, Gap, eras_of_day

_LONGEST_SEASONAL_GAP = 3 * 3600
_ROUNDS = 200


class DstPolicy(StrEnum):
    """What becomes of a wall time that does not exist, or exists twice.

    | `dst`    | missing (02:30 where 02:00 became 03:00) | repeated (02:30 where 03:00 became 02:00) |
    |----------|------------------------------------------|-------------------------------------------|
    | (none)   | `*` lines: none; others: 03:00, once     | `*` lines: both; others: first            |
    | `skip`   | none                                     | first                                     |
    | `shift`  | 03:30, moved by the length of the gap    | first                                     |
    | `first`  | 03:00, once, at the end of the gap       | first                                     |
    | `second` | 03:00, once, at the end of the gap       | second                                    |
    | `both`   | 03:00, once, at the end of the gap       | both                                      |

    Without a policy Debian's rule holds: a line whose minute or hour field begins with `*` follows the wall
    clock, any other fires once, and a gap of more than three hours is a corrected clock, not a season: what
    lay in it never fires. A named policy holds for every line and every gap. Instants are told apart by
    their UTC time, so several wall times that meet in one instant fire once.
    """

    SKIP = "skip"
    SHIFT = "shift"
    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class _InGap(Enum):
    NOTHING = auto()
    SEASONAL_END = auto()
    END = auto()
    MOVED = auto()


@dataclass(frozen=True, slots=True)
class _Conduct:
    gap: _InGap
    first_copy: bool = True
    second_copy: bool = False


_FOLLOWING = _Conduct(_InGap.NOTHING, second_copy=True)
_ONCE = _Conduct(_InGap.SEASONAL_END)
_BY_POLICY = {
    DstPolicy.SKIP: _Conduct(_InGap.NOTHING),
    DstPolicy.SHIFT: _Conduct(_InGap.MOVED),
    DstPolicy.FIRST: _Conduct(_InGap.END),
    DstPolicy.SECOND: _Conduct(_InGap.END, first_copy=False, second_copy=True),
    DstPolicy.BOTH: _Conduct(_InGap.END, second_copy=True),
}


@dataclass(frozen=True, slots=True)
class CronWalk:
    """One cron table in one zone under one policy; all times are whole seconds since 1970 in UTC."""

    table: CronTable
    zone: str
    policy: DstPolicy | None

    def at_or_after(self, second: int) -> int | None:
        """The first firing from `second` on.

        1. Look through the UTC day of `second`, one offset at a time.
        2. Nothing there: ask the table for the next wall time that could still come, and go to the day
           before it (no zone is further than a day from UTC), or at least to the next day.
        3. A line whose every time falls into gaps would never end: after as many rounds as sixty years of
           yearly misses take, the answer is None.
        """
        for _ in range(_ROUNDS):
            day = second // DAY
            for era in eras_of_day(self.zone, day):
                if second < era.end and (found := self._first_in(era, max(second, era.start))) is not None:
                    return found
            second = (day + 1) * DAY
            wall = self.table.at_or_after(second - DAY)
            if wall is None:
                return None
            second = max(second, wall - DAY)
        return None

    def stands_for_missing(self, second: int) -> bool:
        """Whether this firing exists only because its wall time does not."""
        era = next(era for era in eras_of_day(self.zone, second // DAY) if era.start <= second < era.end)
        return self._from_gap(era, second) == second and self._from_wall(era, second) != second

    def _first_in(self, era: Era, second: int) -> int | None:
        found = self._from_wall(era, second)
        moved = self._from_gap(era, second) if era.gap else None
        if found is None or moved is None:
            return moved if found is None else found
        return min(found, moved)

    def _from_wall(self, era: Era, second: int) -> int | None:
        conduct = self._conduct
        low, high = second + era.offset, era.end + era.offset
        if not conduct.second_copy:
            low = max(low, era.second_until)
        if not conduct.first_copy:
            high = min(high, era.first_from)
        wall = self.table.at_or_after(low)
        return wall - era.offset if wall is not None and wall < high else None

    def _from_gap(self, era: Era, second: int) -> int | None:
        gap, conduct = era.gap, self._conduct.gap
        if gap is None or conduct is _InGap.NOTHING:
            return None
        if conduct is _InGap.MOVED:
            wall = self._missing_wall(gap, max(gap.start, second + gap.offset_before))
            moved = None if wall is None else wall - gap.offset_before
            return moved if moved is not None and moved < era.end else None
        if gap.at < second or (
            conduct is _InGap.SEASONAL_END and gap.end - gap.start > _LONGEST_SEASONAL_GAP
        ):
            return None
        return gap.at if self._missing_wall(gap, gap.start) is not None else None

    def _missing_wall(self, gap: Gap, wall: int) -> int | None:
        found = self.table.at_or_after(wall)
        return found if found is not None and found < gap.end else None

    @property
    def _conduct(self) -> _Conduct:
        if self.policy is not None:
            return _BY_POLICY[self.policy]
        return _FOLLOWING if self.table.follows_wall else _ONCE
