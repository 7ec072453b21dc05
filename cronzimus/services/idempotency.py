"""A request that is repeated under the same key is done once and answered twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cronzimus.common.db import Database, as_json
from cronzimus.common.sql import queries
from cronzimus.errors import Conflict, DatabaseUnavailable, Invalid

_SQL = queries("cronzimus.services.sql", "idempotency.sql")
_KEPT: Final = timedelta(hours=24)
_LOCK_TIMEOUT: Final = "55P03"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asked, under which key, for what; `request` tells requests apart, such as a hash."""

    caller: str
    key: str
    route: str
    request: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, as it went out."""

    status: int
    headers: dict[str, str]
    body: str
    replayed: bool = False


class Idempotency:
    """Any number of processes may get the same request at once: exactly one does it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def once(self, asked: Asked, act: Callable[[], Answer]) -> Answer:
        """What `act` answers, or answered the first time; raises Invalid IDEMPOTENCY_MISMATCH, Conflict.

        1. The key is taken and `act` does its work in one transaction: both are there or neither.
        2. Whoever finds the key taken by a transaction that is not over waits for it, at most as long as the
           database lets a statement wait for a lock: then Conflict IDEMPOTENCY_IN_PROGRESS.
        3. A refusal rolls back and is not remembered: the same key may be tried again.
        """
        claimed = False
        try:
            with self._database.transaction():
                claimed = self._claim(asked)
                return self._carried_out(asked, act) if claimed else self._remembered(asked)
        except DatabaseUnavailable as error:
            if claimed or getattr(error.__cause__, "sqlstate", None) != _LOCK_TIMEOUT:
                raise
            message = (
                f"a request with the key {asked.key!r} is still being carried out; ask again in a moment"
            )
            raise Conflict(message, code="IDEMPOTENCY_IN_PROGRESS") from error

    def _claim(self, asked: Asked) -> bool:
        params = {"route": asked.route, "request": asked.request, "kept": _KEPT, **_named(asked)}
        return self._database.fetch_one(_SQL["claim"], params) is not None

    def _carried_out(self, asked: Asked, act: Callable[[], Answer]) -> Answer:
        answer = act()
        columns = {"status": answer.status, "headers": as_json(answer.headers), "response": answer.body}
        self._database.execute(_SQL["answer"], {**columns, **_named(asked)})
        return answer

    def _remembered(self, asked: Asked) -> Answer:
        found = self._database.fetch_one(_SQL["answered"], _named(asked))
        if found is None:  # it expired and was pruned between two statements
            raise Conflict(
                f"the key {asked.key!r} has just expired; ask again", code="IDEMPOTENCY_IN_PROGRESS"
            )
        route, request, status, headers, body = found
        if (route, request) != (asked.route, asked.request):
            what = "another route" if route != asked.route else "another body"
            raise Invalid(
                f"the key {asked.key!r} was used for {what} within the last day; take a new one",
                code="IDEMPOTENCY_MISMATCH",
            )
        return Answer(status, headers, body, replayed=True)


def _named(asked: Asked) -> dict[str, Any]:
    return {"caller": asked.caller, "key": asked.key}
