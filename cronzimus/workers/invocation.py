"""The call itself: a function gets what it declares, and a coroutine an event loop of its own."""

import asyncio
import inspect
from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cronzimus.common.telemetry import span
from cronzimus.workers.context import RunContext, current_run
from cronzimus.workers.injection import TaskFunction, check_allowed, check_call, resolve


@lru_cache(maxsize=4096)
def load(path: str, allowed: tuple[str, ...] | None) -> TaskFunction:
    """The function behind a path, checked against the list unless it is one of the house's own (None)."""
    return resolve(path) if allowed is None else check_allowed(path, allowed)


def invoke(function: TaskFunction, args: Sequence[Any], kwargs: Mapping[str, Any], run: RunContext) -> Any:
    """The value of one call; raises Invalid INVALID_PARAMS before it when the arguments do not suit."""
    check_call(function, args, kwargs)
    current_run.set(run)
    given = {name: _given(name, run) for name in function.injected}
    with span(f"call {function.path}"):
        answer = function.call(args, kwargs, given)
        return asyncio.run(_awaited(answer, run)) if inspect.isawaitable(answer) else answer


def _given(name: str, run: RunContext) -> Any:
    if name == "db":
        return run.database
    return run if name == "run" else run.inputs


async def _awaited(answer: Awaitable[Any], run: RunContext) -> Any:
    loop = asyncio.get_running_loop()
    body = asyncio.ensure_future(answer)

    def _cancel() -> None:
        loop.call_soon_threadsafe(body.cancel)

    with run.on_cancel(_cancel):
        return await body
