"""What goes before what: jobs as nodes, `depends_on` as edges; every function here looks, and changes nothing."""

from collections.abc import Collection, Iterable, Mapping

Edges = Mapping[str, Collection[str]]
"""For each job the jobs it depends on."""


def cycle_in(edges: Edges, starts: Iterable[str] | None = None) -> tuple[str, ...] | None:
    """A way from a job back to itself, the job at both ends; None when there is none to be reached from `starts`."""
    done: set[str] = set()
    for start in sorted(edges if starts is None else starts):
        if (found := _cycle_from(start, edges, done)) is not None:
            return found
    return None


def in_order(edges: Edges) -> tuple[str, ...]:
    """Every job of the graph, what goes before always first, else by their ids; of a cycle any order."""
    done: set[str] = set()
    order: list[str] = []
    for start in sorted({*edges, *(job for before in edges.values() for job in before)}):
        way = [(start, iter(sorted(edges.get(start, ()))))] if start not in done else []
        done.add(start)
        while way:
            job, left = way[-1]
            following = next((one for one in left if one not in done), None)
            if following is None:
                order.append(job)
                way.pop()
            else:
                done.add(following)
                way.append((following, iter(sorted(edges.get(following, ())))))
    return tuple(order)


def in_words(path: Iterable[str]) -> str:
    """A way through the graph as people write it."""
    return " → ".join(path)


def _cycle_from(start: str, edges: Edges, done: set[str]) -> tuple[str, ...] | None:
    """Walk down from `start`; `done` are the jobs from which no cycle can be reached."""
    if start in done:
        return None
    way = [(start, iter(sorted(edges.get(start, ()))))]
    standing = {start}
    while way:
        job, left = way[-1]
        following = next((one for one in left if one not in done), None)
        if following in standing:
            names = [name for name, _ in way]
            return (*names[names.index(str(following)) :], str(following))
        if following is None:
            way.pop()
            standing.discard(job)
            done.add(job)
        else:
            standing.add(following)
            way.append((following, iter(sorted(edges.get(following, ())))))
    return None
