"""A SQL statement as a job, on the pooled database."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from cronzimus.common.db import Database
from cronzimus.models.run import ErrorCategory
from cronzimus.workers.context import RunContext

KEPT_ROWS = 100

# Classes of SQLSTATE that another try cannot mend: syntax and names, data, constraints, features.
_FINAL = ("42", "22", "23", "0A")


def run_statement(
    db: Database, run: RunContext, statement: str, args: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run one statement; `{columns, rows, row_count}` with the first 100 rows as lists of JSON values.

    It commits by itself. With `args` the statement holds `%(name)s` for each and `%%` for a percent sign;
    without them it is sent as it is. More than one statement at once is refused.
    """
    with db.connection() as connection, connection.cursor(binary=False) as cursor:
        run.logger.debug("Running a statement of {} characters", len(statement))
        try:
            # Prepared, because the server then refuses a second statement behind a semicolon.
            cursor.execute(statement, args or None, prepare=True)
        except Exception as error:
            _mark_final(error)
            raise
        if cursor.description is None:
            return {"columns": [], "rows": [], "row_count": max(0, cursor.rowcount)}
        rows = [[_plain(value) for value in row] for row in cursor.fetchmany(KEPT_ROWS)]
        columns = [column.name for column in cursor.description]
        return {"columns": columns, "rows": rows, "row_count": cursor.rowcount}


def _mark_final(error: Exception) -> None:
    """Say so on the driver's own error: retry rules go on naming its class."""
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(_FINAL):
        error.category = ErrorCategory.BUSINESS  # type: ignore[attr-defined]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)
