"""A workflow as a drawing: where its boxes and lines stand, so that templates only draw them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cronzimus.models.dependency import When
from cronzimus.models.graph import in_order
from cronzimus.models.run import RunState
from cronzimus.models.workflow import Edge, Node, Workflow

# Beyond this many boxes a drawing says less than the table below it.
MOST_DRAWN: Final = 150
_WIDTH: Final = 168
_HEIGHT: Final = 34
_ACROSS: Final = 56
_DOWN: Final = 14
_MARGIN: Final = 4
_LONGEST: Final = 21
_WRONG: Final = (RunState.FAILED, RunState.TIMEOUT, RunState.LOST, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Box:
    """One job: its corner, and what is written in it."""

    node: Node
    x: int
    y: int
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One edge as a path, from the right of one box to the left of another."""

    edge: Edge
    path: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the table that says the same: a job and what goes before it."""

    node: Node
    href: str
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes in columns, each to the right of everything it depends on; without boxes when there are too many."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    rows: tuple[Listed, ...]
    box_width: int = _WIDTH
    box_height: int = _HEIGHT

    @property
    def went_wrong(self) -> bool:
        """Whether there is a step to be tried again."""
        return any(row.node.state in _WRONG for row in self.rows)


def drawing(workflow: Workflow) -> Drawing:
    """The workflow, drawn from left to right."""
    nodes = {node.job_id: node for node in workflow.nodes}
    before = _before(workflow.edges)
    order = [
        job_id for job_id in in_order(before | {job: before.get(job, ()) for job in nodes}) if job_id in nodes
    ]
    rows = tuple(
        Listed(nodes[job_id], _href(nodes[job_id]), _told(job_id, workflow.edges)) for job_id in order
    )
    if len(nodes) > MOST_DRAWN:
        return Drawing(0, 0, (), (), rows)
    places = _places(order, before)
    boxes = {job_id: _box(nodes[job_id], *places[job_id]) for job_id in order}
    lines = tuple(
        Line(edge, _path(boxes[edge.job], boxes[edge.follower]))
        for edge in workflow.edges
        if edge.job in boxes and edge.follower in boxes
    )
    width = max((box.x + _WIDTH for box in boxes.values()), default=0) + _MARGIN
    height = max((box.y + _HEIGHT for box in boxes.values()), default=0) + _MARGIN
    return Drawing(width, height, tuple(boxes.values()), lines, rows)


def _before(edges: Iterable[Edge]) -> dict[str, tuple[str, ...]]:
    before: dict[str, tuple[str, ...]] = {}
    for edge in edges:
        before[edge.follower] = (*before.get(edge.follower, ()), edge.job)
    return before


def _places(order: Iterable[str], before: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, int]]:
    """Column and row of each job: one column after the last of what it depends on, near to the height of those."""
    places: dict[str, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    for job_id in order:
        above = [places[one] for one in before.get(job_id, ()) if one in places]
        column = max((place[0] + 1 for place in above), default=0)
        row = sum(place[1] for place in above) // len(above) if above else 0
        while (column, row) in taken:
            row += 1
        places[job_id] = (column, row)
        taken.add((column, row))
    return places


def _box(node: Node, column: int, row: int) -> Box:
    x, y = _MARGIN + column * (_WIDTH + _ACROSS), _MARGIN + row * (_HEIGHT + _DOWN)
    label = node.job_id if len(node.job_id) <= _LONGEST else f"{node.job_id[: _LONGEST - 1]}…"
    return Box(node, x, y, label, _href(node))


def _path(start: Box, end: Box) -> str:
    x1, y1 = start.x + _WIDTH, start.y + _HEIGHT // 2
    x2, y2 = end.x, end.y + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"


def _href(node: Node) -> str:
    return f"/runs/{node.run_id}" if node.run_id else f"/jobs/{node.job_id}"


def _told(job_id: str, edges: Iterable[Edge]) -> tuple[str, ...]:
    return tuple(
        edge.job + ("" if edge.when is When.SUCCESS else f" ({edge.when})")
        for edge in edges
        if edge.follower == job_id
    )
