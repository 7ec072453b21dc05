"""One line of the table, and the table."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured, of us and of a peer in the same run, and what was promised."""

    what: str
    measured: str
    repeats: int
    ours: str
    peer: str
    ratio: str
    target: str
    met: bool


def told(values: Sequence[float], unit: str = "", digits: int = 0) -> str:
    """The median, and the lowest and highest where there were several."""
    middle = f"{median(values):,.{digits}f}{unit}"
    if len(values) < 2:
        return middle
    return f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def show(lines: Sequence[Line], about: str, as_json: bool) -> None:
    """Print all of it; JSON for machines."""
    if as_json:
        json.dump({"server": about, "lines": [asdict(line) for line in lines]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table(title=f"Cronzimus against its peers, in one run (PostgreSQL: {about})", show_lines=True)
    for heading in ("what", "measured", "n", "Cronzimus", "peer", "ratio", "target", "met"):
        table.add_column(heading)
    for line in lines:
        table.add_row(
            line.what,
            line.measured,
            str(line.repeats),
            line.ours,
            line.peer,
            line.ratio,
            line.target,
            "yes" if line.met else "NO",
        )
    Console(width=None if sys.stdout.isatty() else 170).print(table)
