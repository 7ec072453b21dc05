"""What a session is bound to from its first statement on: its zone, and how long anything in it may take."""

from collections.abc import Mapping

from cronzimus.common.sql import queries

GUARD = queries("cronzimus.common", "session.sql")["guard_session"]

_NOTHING_MORE: Mapping[str, str] = {}


def session_guards(
    statement_timeout: float | None, more: Mapping[str, str] = _NOTHING_MORE, *, given: str = ""
) -> dict[str, str]:
    """The server's settings of a session, by name; those that the URL's own `options` name are left alone.

    They are set by a statement, `GUARD`: startup options are refused by PgBouncer, or dropped without a word.
    """
    guards = {"TimeZone": "UTC", **more}
    if statement_timeout is not None:
        guards |= {
            "idle_in_transaction_session_timeout": "3000",
            "statement_timeout": str(round(statement_timeout * 1000)),
            "lock_timeout": "2000",
            "jit": "off",
        }
    theirs = given.lower()
    return {name: value for name, value in guards.items() if f"{name.lower()}=" not in theirs}
