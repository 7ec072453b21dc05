"""What one attempt came to: the value or the exception of its function as plain, bounded, masked data."""

import hashlib
import json
import os
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from cronzimus.common.logger import mask
from cronzimus.common.masking import mask_known
from cronzimus.errors import Cancel, Invalid, Snooze
from cronzimus.models.run import ErrorCategory, RunState

RESULT_LIMIT = 65_536
TRACEBACK_LIMIT = 16_384
MESSAGE_LIMIT = 4_096
LONGEST_SNOOZE_SECONDS = 31_536_000.0

_FRAMES = 40
_SHORTER = (16_384, 4_096, 1_024, 128)
# Frames between the pool and the task function: they say nothing about the failure.
_MACHINERY = tuple(
    os.path.join(os.path.dirname(__file__), name)
    for name in ("execution.py", "invocation.py", "injection.py", "child.py")
)
_EVENT_LOOP = f"{os.sep}asyncio{os.sep}"


class BusinessError(Exception):
    """Raise it, or a subclass, from a task function when another try would fail in the same way."""

    category = ErrorCategory.BUSINESS


class Terminated(BaseException):
    """Raised in a function whose process is told to end, so that its `finally` blocks are run."""


class Stop(StrEnum):
    """Why an attempt was told to end."""

    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    LOST = "lost"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, before anybody asks whether it is tried again; plain data throughout.

    `names` are the class names of the exception and its bases, which retry rules are compared with.
    """

    state: RunState
    result: Any = None
    error: dict[str, Any] | None = None
    names: tuple[str, ...] = ()
    retry_in: float | None = None
    costs_attempt: bool = True

    @property
    def category(self) -> ErrorCategory | None:
        """The category of the error, None without one."""
        return ErrorCategory(self.error["category"]) if self.error else None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` and JSON made of an outcome in another process."""
        return cls(**{**data, "state": RunState(data["state"]), "names": tuple(data["names"])})


SUCCESS = Outcome(RunState.SUCCESS)


def returned(value: Any) -> Outcome:
    """The function came back with a value."""
    return SUCCESS if value is None else Outcome(RunState.SUCCESS, result=as_result(value))


def raised(error: BaseException) -> Outcome:
    """The function raised: a signal (`Snooze`, `Cancel`) or a failure, SystemExit included."""
    if isinstance(error, Snooze):
        # The state counts only when the run was cancelled meanwhile: then it ends instead of waiting.
        wait = min(max(0.0, error.seconds), LONGEST_SNOOZE_SECONDS)
        return Outcome(RunState.CANCELLED, retry_in=wait, costs_attempt=False)
    state = RunState.CANCELLED if isinstance(error, Cancel) else RunState.FAILED
    category = ErrorCategory.BUSINESS if isinstance(error, Cancel) else _category_of(error)
    frames = _own_frames(error.__traceback__)
    problem = problem_of(
        _type_name(type(error)), _text_of(error), category, fingerprint=_fingerprint(type(error), frames)
    )
    problem["traceback"] = _bounded(_traceback_of(error, frames), TRACEBACK_LIMIT)
    return Outcome(
        state, result=as_result(_attribute(error, "result")), error=problem, names=names_of(type(error))
    )


def stopped(stop: Stop, timeout: float | None = None) -> Outcome:
    """The attempt was ended from outside, whatever its function made of that."""
    if stop is Stop.TIMEOUT:
        limit = f"{timeout:g} s" if timeout is not None else "its timeout"
        problem = problem_of("TimeoutError", f"the attempt took longer than {limit}", ErrorCategory.TIMEOUT)
        return Outcome(RunState.TIMEOUT, error=problem, names=names_of(TimeoutError))
    if stop is Stop.CANCELLED:
        problem = problem_of("Cancelled", "the run was cancelled", ErrorCategory.BUSINESS)
        return Outcome(RunState.CANCELLED, error=problem)
    message = "the process stopped" if stop is Stop.SHUTDOWN else "the lease of the attempt was lost"
    return Outcome(RunState.LOST, error=problem_of("Lost", message, ErrorCategory.SYSTEM))


def died(message: str) -> Outcome:
    """The process of the attempt ended without an answer."""
    return Outcome(
        RunState.FAILED,
        error=problem_of("ProcessDied", message, ErrorCategory.SYSTEM),
        names=("ProcessDied",),
    )


def problem_of(
    type_name: str, message: str, category: ErrorCategory, *, fingerprint: str | None = None
) -> dict[str, Any]:
    """The error as it is stored; its fingerprint groups failures of the same origin."""
    return {
        "type": type_name,
        "category": str(category),
        "message": _bounded(message, MESSAGE_LIMIT),
        "fingerprint": fingerprint or _digest([type_name]),
        "traceback": "",
    }


def remasked(outcome: Outcome) -> Outcome:
    """The outcome of another process, its error masked with the secrets this one knows."""
    outcome = replace(outcome, result=_without_bad_characters(outcome.result))
    if outcome.error is None:
        return outcome
    error = {name: mask(value) if isinstance(value, str) else value for name, value in outcome.error.items()}
    return replace(outcome, error=error)


def as_result(value: Any) -> Any:
    """The value as JSON data of bounded size; what JSON cannot hold becomes its `repr`."""
    if value is None or isinstance(value, bool):
        return value
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        plain = _without_bad_characters(json.loads(text))
    except Exception:  # whatever a foreign object does when looked at, RecursionError included
        return _bounded(_repr_of(value), RESULT_LIMIT)
    return plain if len(text) <= RESULT_LIMIT else _shortened(plain, len(text))


def names_of(kind: type[BaseException]) -> tuple[str, ...]:
    """Short and dotted names of an exception class and its bases."""
    kinds = [base for base in kind.__mro__ if base is not object]
    return tuple(name for base in kinds for name in (base.__name__, f"{base.__module__}.{base.__qualname__}"))


def matches(names: Iterable[str], rules: Iterable[str]) -> bool:
    """Whether one of the rules (`TimeoutError`, `requests.exceptions.Timeout`) names one of the classes."""
    return not set(names).isdisjoint(rule.replace(":", ".") for rule in rules)


def _category_of(error: BaseException) -> ErrorCategory:
    business = isinstance(error, Invalid) or _attribute(error, "category") == ErrorCategory.BUSINESS
    return ErrorCategory.BUSINESS if business else ErrorCategory.SYSTEM


def _attribute(error: BaseException, name: str) -> Any:
    """What a foreign exception says under a name, None when looking at it fails."""
    try:
        return getattr(error, name, None)
    except Exception:
        return None


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text_of(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:
        return f"{type(error).__name__} (its message could not be read)"


def _repr_of(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the task function on; all of it when it never got that far."""
    own = trace
    while own is not None and _is_machinery(own.tb_frame.f_code.co_filename):
        own = own.tb_next
    return own


def _is_machinery(filename: str) -> bool:
    return filename in _MACHINERY or _EVENT_LOOP in filename


def _traceback_of(error: BaseException, frames: TracebackType | None) -> str:
    if frames is None:
        return ""
    try:
        return "".join(traceback.format_exception(type(error), error, frames, limit=-_FRAMES))
    except Exception:
        return "".join(traceback.format_tb(frames, limit=-_FRAMES))


def _fingerprint(kind: type[BaseException], frames: TracebackType | None) -> str:
    places = [frame.f_code for frame, _ in traceback.walk_tb(frames)][-_FRAMES:]
    return _digest([_type_name(kind), *(f"{os.path.basename(c.co_filename)}:{c.co_name}" for c in places)])


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _bounded(text: str, limit: int) -> str:
    """The text masked, fit for PostgreSQL, its middle cut out when it is too long."""
    return _cut(_clean(mask(text)), limit)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _without_bad_characters(value: Any) -> Any:
    """JSON data without known secrets, and without NUL and lone surrogates, which PostgreSQL refuses."""
    if isinstance(value, str):
        return _clean(mask_known(value))
    if isinstance(value, list):
        return [_without_bad_characters(item) for item in value]
    if isinstance(value, dict):
        return {_clean(mask_known(name)): _without_bad_characters(item) for name, item in value.items()}
    return value


def _shortened(value: Any, size: int) -> Any:
    """The value with its long strings cut; when that is not enough, the head of its JSON text."""
    for limit in _SHORTER:
        shorter = _with_short_strings(value, limit)
        if len(json.dumps(shorter, ensure_ascii=False)) <= RESULT_LIMIT:
            return shorter
    head = json.dumps(value, ensure_ascii=False)[:RESULT_LIMIT]
    return {"note": f"cut: the result has {size} characters, {RESULT_LIMIT} are kept", "head": head}


def _with_short_strings(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return _cut(value, limit)
    if isinstance(value, list):
        return [_with_short_strings(item, limit) for item in value]
    if isinstance(value, dict):
        return {name: _with_short_strings(item, limit) for name, item in value.items()}
    return value
