"""Where a measure would make a file worse: the limit granted instead, and the ADR that argues it."""

# (measure, path): (limit granted, the ADR)
EXCEPTIONS: dict[tuple[str, str], tuple[int, str]] = {}

LIMITS = {"file lines": 300, "function lines": 40, "sql strings": 0}


def limit(measure: str, path: str) -> int:
    """What this file is held to."""
    granted, _ = EXCEPTIONS.get((measure, path), (LIMITS[measure], ""))
    return granted
