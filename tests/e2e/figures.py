"""The figures of a history: how much was due, what became of it, how late, and the longest silence."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from tests.e2e.history import History, Line, Span


def figures(history: History) -> dict[str, object]:
    """What is printed with every verdict."""
    ours = {asked.job_id for asked in history.asked}
    must = [at for asked in history.asked for at in asked.targets(history.window.start, history.window.end)]
    firings = [row for row in history.firings if row.job_id in ours]
    lines = [line for line in history.lines if line.job_id in ours]
    late = sorted(
        line.at - line.due_at for line in lines if line.event == "start" and line.due_at is not None
    )
    return {
        "due in the window": len(must),
        "of these in a fault": sum(history.in_fault(at, at) for at in must),
        "rows": len(firings),
        "fired": sum(row.decision == "fired" for row in firings),
        "not fired": dict(
            Counter(f"{row.decision} ({row.reason})" for row in firings if row.decision != "fired")
        ),
        "runs": dict(Counter(run.state for run in history.runs if run.job_id in ours)),
        "started": len(late),
        "lateness p50/p99/max, s": "/".join(f"{_quantile(late, share):.3f}" for share in (0.5, 0.99, 1)),
        "longest gap between starts, s": round(longest_gap(lines, history.window), 3),
    }


def longest_gap(lines: Iterable[Line], window: Span) -> float:
    """The longest stretch of the window in which no job started."""
    starts = sorted(line.at for line in lines if line.event == "start")
    inside = [window.start, *(at for at in starts if window.touches(at, at)), window.end]
    return max((later - earlier for earlier, later in pairwise(inside)), default=0.0)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
