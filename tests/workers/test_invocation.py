import contextvars
import threading
from asyncio import CancelledError
from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.workers.context import RunContext, current_run
from cronzimus.workers.invocation import invoke, load
from tests.workers.support import BOARD, JOBS, context


def call(name: str, *args: Any, run: RunContext | None = None, **kwargs: Any) -> Any:
    """Invoke a job in a context of its own, as the executor does."""
    bound = run or context()
    return contextvars.copy_context().run(invoke, load(f"{JOBS}:{name}", None), args, kwargs, bound)


@pytest.mark.parametrize("value", [None, 1, "text", [1, 2], {"a": 1}])
@pytest.mark.parametrize("name", ["give", "async_give"])
def test_invoke_returns_the_value(name: str, value: Any) -> None:
    assert call(name, value) == value


def test_invoke_gives_the_run() -> None:
    run = context()
    assert call("facts", run=run)["id"] == str(run.id)


def test_invoke_gives_a_coroutine_what_it_declares() -> None:
    run = context()
    assert call("async_with_run", run=run) == [str(run.id), True, "ScopedDatabase"]


def test_invoke_opens_no_database_for_a_function_without_db() -> None:
    run = context()
    call("facts", run=run)
    assert not run.uses_database


def test_invoke_sets_the_current_run_for_the_call_only() -> None:
    assert call("facts")["is_current"]
    assert current_run.get() is None


@pytest.mark.parametrize(("name", "error"), [("boom", ValueError), ("async_boom", LookupError)])
def test_invoke_lets_errors_through(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(name)


def test_invoke_refuses_wrong_arguments_before_the_call() -> None:
    with pytest.raises(Invalid) as refused:
        call("needs", wrong=1)
    assert refused.value.code == "INVALID_PARAMS"


def test_cancel_stops_a_coroutine_that_waits() -> None:
    run, ended = context(), []

    def body() -> None:
        with pytest.raises(CancelledError):
            call("async_hang", "invoke", run=run)
        ended.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    assert BOARD.wait("invoke-started")
    run.cancel()
    thread.join(20)
    assert ended == [True]
    assert BOARD.is_up("invoke-unwound")


def test_cancel_before_the_call_stops_a_coroutine_at_its_first_wait() -> None:
    run = context()
    run.cancel()
    with pytest.raises(CancelledError):
        call("async_give", run=run)


def test_load_checks_the_list() -> None:
    assert load(f"{JOBS}:noop", (JOBS,)).path == f"{JOBS}:noop"
    with pytest.raises(Invalid) as refused:
        load(f"{JOBS}:noop", ("elsewhere",))
    assert refused.value.code == "FUNCTION_NOT_ALLOWED"


def test_load_without_a_list_is_for_the_house_itself() -> None:
    assert load("cronzimus.controller.task:task", None).injected == {"db"}
