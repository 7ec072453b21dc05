"""Before and after as a picture: one line of marks for each side of a plan."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import click

WIDTH: Final = 60

_MARKS: Final = {"stays": "|", "appears": "+", "vanishes": "x", "moves": ">"}
_COLORS: Final = {"appears": "green", "vanishes": "red", "moves": "yellow"}
_MANY: Final = "#"
_NOTHING: Final = "."
_LEGEND: Final = "| stays   + appears   x vanishes   > moves   # several"


def draw_timelines(jobs: Iterable[Mapping[str, Any]]) -> None:
    """Draw the coming firings of every job that changes, each as two lines on one scale."""
    drawn = [job for job in jobs if job["firings"]]
    for job in drawn:
        for line in timeline(job):
            click.echo(line)
        click.echo()
    if drawn:
        click.echo(_LEGEND)


def timeline(job: Mapping[str, Any]) -> Iterator[str]:
    """The picture of one job: its scale in its own zone, then what was and what will be."""
    seen = [side for firing in job["firings"] for side in (firing["before"], firing["after"]) if side]
    ordered = sorted(seen, key=lambda side: datetime.fromisoformat(side["due_at"]))
    first, last = (datetime.fromisoformat(side["due_at"]) for side in (ordered[0], ordered[-1]))
    begins, ends = _clock(ordered[0]["local"]), _clock(ordered[-1]["local"])
    room = " " * max(1, WIDTH - len(begins) - len(ends))
    yield f"{click.style(job['id'], bold=True)} ({job['timezone']})"
    yield f"          {begins}{room}{ends}"
    for side in ("before", "after"):
        yield f"  {side.ljust(8)}{_marks(job['firings'], side, first, last)}"


def _marks(firings: Iterable[Mapping[str, Any]], side: str, first: datetime, last: datetime) -> str:
    places: dict[int, list[str]] = {}
    for firing in firings:
        if firing[side]:
            at = datetime.fromisoformat(firing[side]["due_at"])
            places.setdefault(_place(at, first, last), []).append(firing["move"])
    return "".join(_mark(places.get(place, [])) for place in range(WIDTH))


def _place(at: datetime, first: datetime, last: datetime) -> int:
    length = (last - first).total_seconds()
    return round((at - first).total_seconds() / length * (WIDTH - 1)) if length else 0


def _mark(moves: list[str]) -> str:
    if not moves:
        return click.style(_NOTHING, dim=True)
    color = next((_COLORS[move] for move in moves if move in _COLORS), None)
    return click.style(_MARKS[moves[0]] if len(moves) == 1 else _MANY, fg=color)


def _clock(local: str) -> str:
    return f"{datetime.fromisoformat(local):%Y-%m-%d %H:%M}"
