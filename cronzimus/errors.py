"""Every error Cronzimus raises on purpose, and the two signals a task function may send."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field; `field` is a dotted path such as `trigger.seconds`."""

    field: str
    message: str


class CronzimusError(Exception):
    """Something went wrong and we know what: `code` is for machines, the message for people."""

    code = "CRONZIMUS_ERROR"

    def __init__(self, message: str, *, code: str | None = None, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.faults = tuple(faults)


class Invalid(CronzimusError, ValueError):
    """What was given cannot be right, whatever the state of the system."""

    code = "VALIDATION_ERROR"


class NotFound(CronzimusError):
    """The thing named does not exist."""

    code = "NOT_FOUND"


class Conflict(CronzimusError):
    """The request is sound but the present state forbids it."""

    code = "CONFLICT"


class Forbidden(CronzimusError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class Unauthenticated(CronzimusError):
    """Nobody is known by what was presented."""

    code = "UNAUTHORIZED"


class TooMany(CronzimusError):
    """Asked too often; the same may be asked again after `retry_after` seconds."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: float, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Unavailable(CronzimusError):
    """Something we depend on does not answer; the same request may succeed later."""

    code = "UNAVAILABLE"


class EngineUnavailable(Unavailable):
    """What carries runs to the workers does not answer; the runs wait, and nothing is lost."""

    code = "ENGINE_UNAVAILABLE"


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer, refuses connections or has none left."""

    code = "DATABASE_UNAVAILABLE"


class ConfigError(CronzimusError):
    """The configuration cannot be used; the message names file, key and what would be right."""

    code = "CONFIG_ERROR"


class Snooze(Exception):
    """Raised by a task function: not now, try again in `seconds`; costs no attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"snoozed for {seconds:g} s")
        self.seconds = seconds


class Cancel(Exception):
    """Raised by a task function: this run has become pointless; it ends `cancelled`, not `failed`."""
