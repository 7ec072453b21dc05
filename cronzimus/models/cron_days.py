"""Which days of the calendar a cron line means.

A year is a row of 365 or 366 bits. Only its first weekday, its length and the length of the year before it
decide which bits are set, so at most 28 rows exist per line, and the next matching day is one shift away
even when it lies forty years ahead.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from cronzimus.models.cron_field import LAST, LAST_WORKDAY, Item

_LAST_YEAR = 9999
_LAST_DAY = date.max.toordinal()
_SATURDAY, _SUNDAY = 6, 0


def _shape_of(year: int) -> int:
    leaps = calendar.isleap(year) + 2 * calendar.isleap(year - 1)
    return calendar.weekday(year, 1, 1) * 4 + leaps


_SHAPES = tuple(_shape_of(2000 + turn) for turn in range(400))  # the calendar repeats after 400 years


@dataclass(frozen=True, slots=True)
class DayRule:
    """The day fields of one cron line; `both` says day and weekday must agree, bit n of `years` is year n."""

    days: frozenset[Item]
    months: frozenset[Item]
    weekdays: frozenset[Item]
    both: bool
    weeks: frozenset[Item] | None
    years: int | None
    _rows: dict[int, int] = field(default_factory=dict, compare=False, repr=False)

    def at_or_after(self, ordinal: int) -> int | None:
        """The first matching day (a proleptic ordinal), or None if none is left before the year 10000."""
        if ordinal > _LAST_DAY:
            return None
        year = date.fromordinal(ordinal).year
        start = date(year, 1, 1).toordinal()
        ahead = self.row_of(year) >> (ordinal - start)
        while not ahead:
            year += 1
            if self.years is not None:
                year += _trailing_zeros(self.years >> year)
            if year > _LAST_YEAR:
                return None
            ordinal = date(year, 1, 1).toordinal()
            ahead = self.row_of(year)
        return ordinal + _trailing_zeros(ahead)

    def row_of(self, year: int) -> int:
        """The matching days of a year as bits, the lowest being 1 January."""
        if self.years is not None and not self.years >> year & 1:
            return 0
        shape = _SHAPES[year % 400]
        row = self._rows.get(shape)
        if row is None:
            row = self._rows[shape] = self._draw_row(year)
        return row

    def _draw_row(self, year: int) -> int:
        row = 0
        for month in range(1, 13):
            if month in self.months:
                start = date(year, month, 1).toordinal() - date(year, 1, 1).toordinal()
                for day in self._days_of_month(year, month):
                    row |= 1 << (start + day - 1)
        return row

    def _days_of_month(self, year: int, month: int) -> set[int]:
        monday_based, length = calendar.monthrange(year, month)
        first = (monday_based + 1) % 7
        by_date = {day for item in self.days for day in _dates_of(item, first, length)}
        by_weekday = {day for item in self.weekdays for day in _weekdays_of(item, first, length)}
        chosen = by_date & by_weekday if self.both else by_date | by_weekday
        if self.weeks is None:
            return chosen
        return {day for day in chosen if date(year, month, day).isocalendar().week in self.weeks}


def _trailing_zeros(bits: int) -> int:
    return (bits & -bits).bit_length() - 1 if bits else _LAST_YEAR


def _dates_of(item: Item, first: int, length: int) -> Iterator[int]:
    if isinstance(item, tuple):
        if item[0] <= length:
            yield _nearest_workday(item[0], first, length)
    elif item == LAST:
        yield length
    elif item == LAST_WORKDAY:
        yield _nearest_workday(length, first, length)
    elif item <= length:
        yield item


def _nearest_workday(day: int, first: int, length: int) -> int:
    weekday = (first + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _weekdays_of(item: Item, first: int, length: int) -> range:
    weekday, turn = item if isinstance(item, tuple) else (item, None)
    days = range(1 + (weekday - first) % 7, length + 1, 7)
    if turn is None:
        return days
    return days[-1:] if turn == LAST else days[turn - 1 : turn]
