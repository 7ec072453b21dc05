"""One field of a cron line: its text, what it allows, and the values it stands for.

cronsim reads numbers, names, lists, ranges, steps, `L`, `LW`, `5L` and `2#2`; this file adds `15W`, `H`,
the fields `week` and `year`, and refusals that say where and why.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cronsim import CronSim, CronSimError

LAST = CronSim.LAST
LAST_WORKDAY = CronSim.LAST_WEEKDAY
NEAREST_WORKDAY = -1  # (15, NEAREST_WORKDAY) is 15W

Item = int | tuple[int, int]

_LONGEST = 256
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SPREAD = re.compile(r"H(?:\((\d{1,4})-(\d{1,4})\))?(?:/(\d{1,4}))?", re.ASCII)
_NUMBERS = re.compile(r"(?:\*|(\d{1,4})(?:-(\d{1,4}))?)(?:/(\d{1,4}))?", re.ASCII)
_NEAREST = re.compile(r"0?([1-9]|[12]\d|3[01])W", re.ASCII)
_NAMED_LAST = re.compile(f"({'|'.join(_DAY_NAMES)})L")
_BACKWARDS = re.compile(r"(\d{1,4})-(\d{1,4})(?:/\d+)?", re.ASCII)
_STEPPED_RANGE = re.compile(r"(\w+-\w+)/\d+", re.ASCII)
_STEP = re.compile(r".*/(\d+)", re.ASCII)


class CronError(ValueError):
    """A cron field that cannot be read; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What one field may hold; `place` is its position in a six-field line, if it has one."""

    name: str
    low: int
    high: int
    forms: str
    place: int | None = None
    spread_high: int | None = None

    @property
    def allowed(self) -> str:
        """The allowed forms in words, for refusals."""
        return f"{self.name} takes {self.low}-{self.high}, {self.forms}"


_COMMON = "*, lists a,b, ranges a-b, steps */n"
KINDS = {
    kind.name: kind
    for kind in (
        FieldKind("second", 0, 59, f"{_COMMON}, H", 0),
        FieldKind("minute", 0, 59, f"{_COMMON}, H", 1),
        FieldKind("hour", 0, 23, f"{_COMMON}, H", 2),
        FieldKind("day", 1, 31, f"{_COMMON}, L, LW, 15W, H", 3, spread_high=28),
        FieldKind("month", 1, 12, f"JAN-DEC, {_COMMON}, H", 4),
        FieldKind(
            "day_of_week", 0, 7, f"SUN-SAT (0 and 7 are Sunday), {_COMMON}, 5L, 2#2, H", 5, spread_high=6
        ),
        FieldKind("week", 1, 53, _COMMON),
        FieldKind("year", 1970, 9999, _COMMON),
    )
}


def check_text(field: str, text: str) -> str:
    """Give `text` back in capitals, or refuse what is too long, empty or not plain ASCII."""
    if len(text) > _LONGEST:
        raise CronError(field, f"{len(text)} characters are too many; at most {_LONGEST} are read")
    if not text.strip():
        raise CronError(field, "is empty")
    if not re.fullmatch(r"[\t\x20-\x7e]*", text):
        raise CronError(field, f"{text!r} holds characters that are not plain ASCII")
    return text.strip().upper()


@lru_cache(maxsize=8192)
def read_field(name: str, text: str, salt: str | None) -> frozenset[Item]:
    """The values a field stands for; `salt` (a job id) places an `H`, without it `H` is its whole range."""
    kind = KINDS[name]
    items: set[Item] = set()
    for term in text.split(","):
        items |= _read_term(kind, term, salt)
    return frozenset(items)


@lru_cache(maxsize=1024)
def read_years(text: str) -> int:
    """The years a field stands for, as bits: year n is bit n."""
    flags = bytearray(b"0" * 10_000)
    for term in text.split(","):
        years = _read_numbers(KINDS["year"], term)
        flags[years.start : years.stop : years.step] = b"1" * len(years)
    return int(flags[::-1], 2)


def plain_text(name: str, text: str, salt: str | None) -> str:
    """The field with every `H` replaced by the values of this job."""
    return ",".join(_place(KINDS[name], term, salt) for term in text.split(","))


def _read_term(kind: FieldKind, term: str, salt: str | None) -> set[Item]:
    if kind.place is None:
        return set(_read_numbers(kind, term))
    if kind.name == "day" and (near := _NEAREST.fullmatch(term)):
        return {(int(near[1]), NEAREST_WORKDAY)}
    plain = _place(kind, term, salt)
    _refuse_long_step(kind, plain)
    if not plain or " " in plain or "\t" in plain or ("L" in plain and "/" in plain):
        raise _refusal(kind, term)
    return _read_standard(kind, plain, kind.place)


def _read_numbers(kind: FieldKind, term: str) -> range:
    found = _NUMBERS.fullmatch(term)
    if not found:
        raise _refusal(kind, term)
    _refuse_long_step(kind, term)
    step = int(found[3] or 1)
    low = int(found[1] or kind.low)
    high = int(found[2] or (kind.high if found[3] or not found[1] else low))
    if not (kind.low <= low <= high <= kind.high and step):
        raise _refusal(kind, term)
    return range(low, high + 1, step)


def _read_standard(kind: FieldKind, term: str, place: int) -> set[Item]:
    values = _read_with_cronsim(kind, term, place)
    if span := _STEPPED_RANGE.fullmatch(term):
        whole = _read_with_cronsim(kind, span[1], place)
        return whole if len(whole) == 1 else values  # cronsim reads 5-5/10 as 5/10, which runs on to the end
    return values


def _read_with_cronsim(kind: FieldKind, term: str, place: int) -> set[Item]:
    line = ["*"] * 6
    line[place] = term
    try:
        read = CronSim(" ".join(line), _ANY_TIME)
    except (CronSimError, AssertionError) as error:
        raise _refusal(kind, term) from error
    values = (read.seconds, read.minutes, read.hours, read.days, read.months, read.weekdays)
    return (
        {_sunday_is_zero(item) for item in values[place]}
        if kind.name == "day_of_week"
        else set(values[place])
    )


def _sunday_is_zero(item: Item) -> Item:
    return item % 7 if isinstance(item, int) else (item[0] % 7, item[1])


def _place(kind: FieldKind, term: str, salt: str | None) -> str:
    if kind.name == "day_of_week":
        term = _NAMED_LAST.sub(lambda named: f"{_DAY_NAMES.index(named[1])}L", term)
        term = term if term.startswith("SUN") else term.replace("-SUN", "-7")
    if not term.startswith("H"):
        return term
    found = _SPREAD.fullmatch(term)
    if not found:
        raise _refusal(kind, term)
    low, high = int(found[1] or kind.low), int(found[2] or kind.spread_high or kind.high)
    step = int(found[3]) if found[3] else None
    if not kind.low <= low <= high <= kind.high or step == 0:
        raise _refusal(kind, term)
    return _spread(kind, low, high, step, salt)


def _spread(kind: FieldKind, low: int, high: int, step: int | None, salt: str | None) -> str:
    if salt is None:
        return f"{low}-{high}"
    room = high - low + 1
    if step is not None and step > room:
        raise CronError(kind.name, f"the step {step} is longer than the range {low}-{high}")
    digest = hashlib.blake2b(f"{kind.name}/{salt}".encode(), digest_size=8).digest()
    first = low + int.from_bytes(digest) % (step or room)
    return str(first) if step is None else f"{first}-{high}/{step}"


def _refuse_long_step(kind: FieldKind, term: str) -> None:
    step = _STEP.fullmatch(term)
    if step and int(step[1]) > kind.high - kind.low + 1:
        raise CronError(kind.name, f"the step of {term!r} is longer than the field ({kind.low}-{kind.high})")


def _refusal(kind: FieldKind, term: str) -> CronError:
    advice = ""
    if (ends := _BACKWARDS.fullmatch(term)) and kind.low <= int(ends[2]) < int(ends[1]) <= kind.high:
        advice = f" (the range runs backwards; write {ends[1]}-{kind.high},{kind.low}-{ends[2]})"
    if "?" in term:
        advice = " (write * instead of ?)"
    return CronError(kind.name, f"{term!r} is not allowed{advice}; {kind.allowed}")
