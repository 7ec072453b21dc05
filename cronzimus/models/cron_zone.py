"""Time zones: which names exist, and how a zone's clock runs through one UTC day."""

import difflib
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_SECOND = (datetime(1, 1, 4, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
LAST_SECOND = (datetime(9999, 12, 28, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)

_LONGEST_NAME = 64
_NOT_PLACES = {"localtime", "Factory", "posixrules"}  # they mean another thing on every machine


@dataclass(frozen=True, slots=True)
class Gap:
    """Wall seconds [start, end) that never happened, because the clock jumped at the instant `at`."""

    at: int
    start: int
    end: int

    @property
    def offset_before(self) -> int:
        """The zone's UTC offset up to the jump."""
        return self.start - self.at


@dataclass(frozen=True, slots=True)
class Era:
    """Instants [start, end) with one UTC offset, all in one UTC day.

    Wall seconds below `second_until` are second copies, those from `first_from` on are first copies.
    """

    start: int
    end: int
    offset: int
    gap: Gap | None = None
    second_until: int = FIRST_SECOND - 2 * DAY
    first_from: int = LAST_SECOND + 9 * DAY


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA name this machine knows."""
    return frozenset(zoneinfo.available_timezones() - _NOT_PLACES)


def known_zone(name: str) -> str:
    """Give `name` back if it is a time zone, else raise a ValueError that names the nearest one."""
    if name in zone_names():
        return name
    if len(name) > _LONGEST_NAME:
        raise ValueError(
            f"unknown time zone: a name of {len(name)} characters; use one such as Europe/Berlin"
        )
    nearest = _nearest_zone(name)
    advice = f"did you mean {nearest}?" if nearest else "use an IANA name such as Europe/Berlin or UTC"
    raise ValueError(f"unknown time zone {name!r}; {advice}")


def _nearest_zone(name: str) -> str | None:
    wanted = name.strip().lower().replace(" ", "_")
    whole = {zone.lower(): zone for zone in sorted(zone_names())}
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(zone_names())}
    for names, likeness in ((whole, 0.75), (cities, 0.75)):
        if close := difflib.get_close_matches(wanted, names, n=1, cutoff=likeness):
            return names[close[0]]
    return None


@lru_cache(maxsize=1024)
def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that name; a ValueError if there is none."""
    return zoneinfo.ZoneInfo(known_zone(name))


def instant_of(wall: datetime, zone: str) -> datetime:
    """The UTC instant of a wall time: the first copy if repeated, the end of the gap if missing."""
    if wall.tzinfo is not None:
        return _to_utc(wall)
    local = wall.replace(tzinfo=zone_of(zone), fold=0)
    instant = _to_utc(local)
    second = (instant - EPOCH) // timedelta(seconds=1)
    gap = next((era.gap for era in eras_of_day(zone, second // DAY) if era.gap), None)
    wall_second = (wall - EPOCH.replace(tzinfo=None)) // timedelta(seconds=1)
    if gap and gap.start <= wall_second < gap.end:
        return EPOCH + timedelta(seconds=gap.at)
    return instant


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # a wall time of year 1 or 9999 whose instant has no name in UTC
        return (datetime.max if moment.year > 1 else datetime.min).replace(tzinfo=UTC)


@lru_cache(maxsize=16_384)
def eras_of_day(zone: str, day: int) -> tuple[Era, ...]:
    """The one or two eras of a UTC day, knowing of jumps up to a day before and after it.

    No zone has ever had two jumps within three days (Freetown 1939 comes nearest with four), so two
    looks at the offset are enough, and no jump moves a clock by more than 24 hours.
    """
    start, end = day * DAY, (day + 1) * DAY
    before, after = _offset(zone, start - DAY), _offset(zone, end + DAY)
    if before == after:
        return (Era(start, end, before),)
    jump = _find_jump(zone, start - DAY, end + DAY)
    if after > before:
        earlier = Era(start, min(jump, end), before)
        later = Era(max(jump, start), end, after, Gap(jump, jump + before, jump + after))
    else:
        earlier = Era(start, min(jump, end), before, first_from=jump + after)
        later = Era(max(jump, start), end, after, second_until=jump + before)
    return tuple(era for era in (earlier, later) if era.start < era.end)


def _find_jump(zone: str, low: int, high: int) -> int:
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: str, second: int) -> int:
    moment = EPOCH + timedelta(seconds=min(max(second, FIRST_SECOND), LAST_SECOND))
    wall = moment.astimezone(zone_of(zone)).replace(tzinfo=UTC)
    return (wall - moment) // timedelta(seconds=1)
