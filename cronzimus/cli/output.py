"""How answers are printed: a table for people, one JSON document for programs."""

import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID

import click

from cronzimus.cli.command import Session
from cronzimus.cli.failures import note, printable

_STYLES = {
    **dict.fromkeys(("success", "active", "fired", "ok", "applied"), "green"),
    **dict.fromkeys(("failed", "timeout", "lost", "broken", "missed", "gap", "surplus"), "red"),
    **dict.fromkeys(("running", "leader"), "cyan"),
    **dict.fromkeys(("paused", "partial", "skipped", "cancelled"), "yellow"),
    **dict.fromkeys(("pending", "finished", "coalesced"), "dim"),
}
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; an `extra` one is left out where the terminal is too narrow for all."""

    title: str
    value: Callable[[Any], object]
    extra: bool = False


def show(session: Session, document: Any, draw: Callable[[], None]) -> None:
    """Print `document` as JSON when that is asked for, else let `draw` print it for people."""
    if session.as_json:
        click.echo(as_json(document))
    else:
        draw()


def show_page(session: Session, page: Mapping[str, Any], columns: Sequence[Column], what: str) -> None:
    """Print one page of a list, and on the error stream what it leaves out."""
    show(session, page, lambda: draw_table(page["items"], columns))
    shown = page["offset"] + len(page["items"])
    if not session.as_json and not page["items"]:
        note(f"no {what}" + (f" from {shown} on" if shown else ""))
    elif not session.as_json and page["total"] > shown:
        note(f"{page['total'] - shown} more {what}: --all shows them, --offset {shown} goes on")


def as_json(document: Any) -> str:
    """The document as text, two spaces deep; instants in UTC with a Z."""
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    return json.dumps(document, indent=2, ensure_ascii=ascii_only, default=_plain)


def draw_table(rows: Iterable[Any], columns: Sequence[Column]) -> None:
    """Print rows below their titles: in colour and fitted to a terminal, else aligned and whole."""
    cells = [[cell(column.value(row)) for column in columns] for row in rows]
    if not cells:
        return
    if sys.stdout.isatty():
        _draw_fitted(list(columns), cells)
    else:
        titles = [column.title for column in columns]
        click.echo("\n".join(_aligned([titles, *cells])))


def draw_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    lines = [(name, cell(value)) for name, value in pairs]
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        label = f"{name}:".ljust(width + 1)
        click.echo(f"{click.style(label, bold=True)}{_GAP}{value}")


def cell(value: object) -> str:
    """A value as one safe line."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        value = json.dumps(value, ensure_ascii=False, default=_plain)
    return printable(str(value))


def instant(value: datetime | str | None) -> str:
    """An instant in UTC for a table, to the second."""
    if value is None:
        return "-"
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def seconds(milliseconds: float | None) -> str:
    """How long something took."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, UUID | PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return [
        _GAP.join(
            text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _width(text: str) -> int:
    """How many places a text takes; ideographs take two."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _draw_fitted(columns: list[Column], cells: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width, height = shutil.get_terminal_size()
    columns, cells = _without_extras(columns, cells, width)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, len(_GAP), 0, 0))
    for column in columns:
        table.add_column(column.title, overflow="fold")
    for row in cells:
        table.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in row))
    Console(width=width, height=height, highlight=False).print(table)


def _without_extras(
    columns: list[Column], cells: list[list[str]], width: int
) -> tuple[list[Column], list[list[str]]]:
    """Leave out extra columns, the last first, until the rest has room or no extra is left."""
    lines = [[column.title for column in columns], *cells]
    widths = [max(_width(line[place]) for line in lines) + len(_GAP) for place in range(len(columns))]
    kept = list(range(len(columns)))
    for place in reversed(range(len(columns))):
        if columns[place].extra and sum(widths[k] for k in kept) > width + len(_GAP):
            kept.remove(place)
    return [columns[k] for k in kept], [[row[k] for k in kept] for row in cells]
