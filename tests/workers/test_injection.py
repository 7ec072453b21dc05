import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cronzimus.errors import Invalid
from cronzimus.workers.injection import INJECTED, check_allowed, check_call, resolve
from tests.workers import jobs
from tests.workers.support import JOBS

ALLOWED = (JOBS, "cronzimus.controller")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Writes a module that can be imported, and forgets it afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def codes(error: pytest.ExceptionInfo[Invalid]) -> tuple[str, tuple[str, ...]]:
    return error.value.code, tuple(fault.field for fault in error.value.faults)


# --- resolve ----------------------------------------------------------------------------------------


def test_resolve_finds_a_function() -> None:
    assert resolve(f"{JOBS}:noop").function is jobs.noop


def test_resolve_finds_an_attribute_of_a_class() -> None:
    assert resolve("cronzimus.workers.outcome:Outcome.from_json").function.__name__ == "from_json"


def test_resolve_answers_the_same_thing_again() -> None:
    assert resolve(f"{JOBS}:noop") is resolve(f"{JOBS}:noop")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_package.mod:f", "no_such_package"),
        ("cronzimus.controller.nothing:f", "cronzimus.controller.nothing"),
        (f"{JOBS}:no_such_function", "no_such_function"),
        (f"{JOBS}:noop.nothing", "noop.nothing"),
        (f"{JOBS}:nop", "did you mean 'noop'"),
        (f"{JOBS}:JOBS_TEXT", "JOBS_TEXT"),
        (f"{JOBS}:os", "a module"),
        (f"{JOBS}:Rejected", "a class"),
        (f"{JOBS}:BOARD", "of type Board"),
        (f"{JOBS}:generator", "generator"),
    ],
)
def test_resolve_names_what_is_wrong(path: str, words: str) -> None:
    with pytest.raises(Invalid) as error:
        resolve(path)
    assert codes(error) == ("INVALID_FUNCTION", ("params.func",))
    assert words in error.value.message


@pytest.mark.parametrize(
    "path",
    [
        "",
        ":",
        "mod",
        "mod:",
        ":f",
        "mod.f",
        "mod:f:g",
        "mod:f()",
        "mod:f g",
        "mod :f",
        "mod..sub:f",
        ".mod:f",
        "mod.:f",
        "mod:.f",
        "mod:f.",
        "mod:f\n",
        "mod/sub:f",
        "../mod:f",
        "mod:1f",
        "mod:f;import os",
        "ｍod:f",
        "mod\x00:f",
    ],
)
def test_resolve_refuses_what_is_no_path(path: str) -> None:
    with pytest.raises(Invalid, match="no import path"):
        resolve(path)


@pytest.mark.parametrize("path", [None, 1, ["mod:f"], {"a": 1}, b"mod:f"])
def test_resolve_refuses_what_is_no_text(path: Any) -> None:
    with pytest.raises(Invalid, match="no import path"):
        resolve(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("import not_there_at_all", "needs 'not_there_at_all', which is not installed"),
        ("from os import not_there", "ImportError"),
    ],
)
def test_resolve_survives_a_module_that_cannot_be_imported(
    module: Callable[[str, str], str], text: str, words: str
) -> None:
    name = module("breaks_at_import", text)
    with pytest.raises(Invalid) as error:
        resolve(f"{name}:f")
    assert error.value.code == "INVALID_FUNCTION"
    assert words in error.value.message


def test_resolve_tries_a_mended_module_again(module: Callable[[str, str], str]) -> None:
    name = module("mended_later", "raise RuntimeError('not yet')")
    with pytest.raises(Invalid):
        resolve(f"{name}:f")
    module(name, "def f():\n    return 'mended'\n\n\nLONGER = 'than before'\n")
    assert resolve(f"{name}:f").function() == "mended"


# --- the allow-list ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        f"{JOBS}:noop",
        f"{JOBS}:async_give",
        "cronzimus.controller.task:task",
        "cronzimus.controller.sql:run_statement",
    ],
)
def test_check_allowed_lets_listed_functions_pass(path: str) -> None:
    assert check_allowed(path, ALLOWED).path == path


@pytest.mark.parametrize(
    "path",
    [
        # modules that are not on the list, however close they sound
        "os:system",
        "builtins:eval",
        "builtins:exec",
        "builtins:__import__",
        "subprocess:run",
        "posix:system",
        "importlib:import_module",
        "cronzimus.controllerx:task",
        "cronzimus.controller_evil.task:task",
        "cronzimus:controller",
        "cronzimus.workers.pool:Pool",
        "cronzimus.common.db:Database",
        "xcronzimus.controller.task:task",
        "tests.workers:jobs",
        "tests.workers.jobs2:noop",
        "CRONZIMUS.CONTROLLER.task:task",
        # ways out of a module that is on the list
        "cronzimus.controller.shell:os.system",
        "cronzimus.controller.shell:os.popen",
        "cronzimus.controller.shell:subprocess.run",
        "cronzimus.controller.shell:subprocess.getoutput",
        "cronzimus.controller.shell:shutil.rmtree",
        "cronzimus.controller.shell:tempfile.tempdir.join",
        "cronzimus.controller.http:jsonlib.loads",
        "cronzimus.controller.http:secrets.token_hex",
        f"{JOBS}:os.system",
        f"{JOBS}:system",
        f"{JOBS}:sys.exit",
        f"{JOBS}:asyncio.run",
        f"{JOBS}:subprocess.check_output",
        f"{JOBS}:BOARD.raise_flag",
        f"{JOBS}:current_run.get",
        # private names and the road to globals and builtins
        f"{JOBS}:__builtins__.eval",
        f"{JOBS}:__loader__.load_module",
        f"{JOBS}:noop.__globals__.get",
        f"{JOBS}:noop.__class__",
        f"{JOBS}:noop.__call__",
        f"{JOBS}:noop.__init__",
        f"{JOBS}:noop.__reduce_ex__",
        f"{JOBS}:Rejected.__subclasses__",
        f"{JOBS}:Rejected.mro",
        "cronzimus.controller.shell:_path",
        "cronzimus.controller.shell:_environment",
        # functions that were only imported there
        "cronzimus.controller.shell:start",
        "cronzimus.controller.shell:mask",
        "cronzimus.controller.shell:dataclass",
        "cronzimus.controller.http:request",
        "cronzimus.controller.task:get_logger",
        "cronzimus.controller.task:queries",
        # a module on the way, even one that is on the list
        "cronzimus.controller:task.task",
        "cronzimus.controller:shell.run_command",
    ],
)
def test_check_allowed_refuses(path: str) -> None:
    with pytest.raises(Invalid) as error:
        check_allowed(path, ALLOWED)
    assert error.value.code in ("FUNCTION_NOT_ALLOWED", "INVALID_FUNCTION")
    assert [fault.field for fault in error.value.faults] == ["params.func"]


@pytest.mark.parametrize(
    "path", ["os:system", "builtins:eval", "cronzimus.controller.shell:os.system", f"{JOBS}:system"]
)
def test_check_allowed_says_that_it_is_not_allowed(path: str) -> None:
    with pytest.raises(Invalid) as error:
        check_allowed(path, ALLOWED)
    assert error.value.code == "FUNCTION_NOT_ALLOWED"


def test_check_allowed_says_what_is_listed() -> None:
    with pytest.raises(Invalid, match="lists: tests.workers.jobs, cronzimus.controller"):
        check_allowed("os:getcwd", ALLOWED)


def test_check_allowed_never_imports_what_is_not_listed(module: Callable[[str, str], str]) -> None:
    name = module("imported_by_attackers", "raise SystemExit('imported')")
    with pytest.raises(Invalid) as error:
        check_allowed(f"{name}:f", ALLOWED)
    assert error.value.code == "FUNCTION_NOT_ALLOWED"
    assert name not in sys.modules


def test_check_allowed_never_calls_the_function(module: Callable[[str, str], str]) -> None:
    name = module("counts_its_calls", "calls = []\n\ndef f(x=1):\n    calls.append(x)\n")
    check_call(check_allowed(f"{name}:f", [name]), [], {"x": 2})
    assert sys.modules[name].calls == []


@pytest.mark.parametrize("allowed", [(), ("",), (".",), ("tests.workers.job",), ("workers.jobs",)])
def test_check_allowed_wants_a_dotted_boundary(allowed: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as error:
        check_allowed(f"{JOBS}:noop", allowed)
    assert error.value.code == "FUNCTION_NOT_ALLOWED"


@pytest.mark.parametrize("prefix", ["tests", "tests.workers", JOBS])
def test_check_allowed_takes_a_package_for_all_in_it(prefix: str) -> None:
    assert check_allowed(f"{JOBS}:noop", [prefix])


def test_check_allowed_sees_through_a_decorator(module: Callable[[str, str], str]) -> None:
    name = module(
        "wraps_others",
        "import functools, os\n\n"
        "def quiet(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        return f(*a, **k)\n"
        "    return inner\n\n"
        "@quiet\ndef fine():\n    return 1\n\n"
        "theirs = quiet(os.system)\n",
    )
    assert check_allowed(f"{name}:fine", [name]).function() == 1
    with pytest.raises(Invalid) as error:
        check_allowed(f"{name}:theirs", [name])
    assert error.value.code == "FUNCTION_NOT_ALLOWED"


def test_check_allowed_tells_a_missing_function_from_a_forbidden_one() -> None:
    with pytest.raises(Invalid) as error:
        check_allowed(f"{JOBS}:no_such_function", ALLOWED)
    assert error.value.code == "INVALID_FUNCTION"


# --- the call ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("noop", [], {}),
        ("needs", [1], {}),
        ("needs", [1, 2], {}),
        ("needs", [], {"first": 1}),
        ("needs", [1], {"second": 2}),
        ("ask_database", [], {}),
        ("polite", ["name"], {}),
        ("polite", [], {"name": "x"}),
        ("mixed", [1, 2], {}),
        ("mixed", [1, 2, 3, 4], {"last": 5}),
        ("tell", ["fifo", 1, 2, 3], {}),
    ],
)
def test_check_call_accepts(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    check_call(resolve(f"{JOBS}:{name}"), args, kwargs)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "fields", "words"),
    [
        ("needs", [], {}, ["params.kwargs.first"], "is missing"),
        ("needs", [1, 2, 3], {}, ["params.args"], "holds 3 values, the function takes 2"),
        ("noop", [1], {}, ["params.args"], "takes 0"),
        ("needs", [1], {"third": 3}, ["params.kwargs.third"], "is not a parameter"),
        ("needs", [1], {"secnod": 3}, ["params.kwargs.secnod"], "did you mean 'second'"),
        ("needs", [1], {"first": 3}, ["params.kwargs.first"], "given twice"),
        ("needs", [], {"x": 1}, ["params.kwargs.x", "params.kwargs.first"], "is missing"),
        ("ask_database", [], {"db": 1}, ["params.kwargs.db"], "given by Cronzimus"),
        ("polite", ["n"], {"run": 1}, ["params.kwargs.run"], "given by Cronzimus"),
        ("noop", [], {"run": 1}, ["params.kwargs.run"], "given by Cronzimus"),
        ("ask_database", ["mine"], {}, ["params.args"], "takes 0"),
        ("mixed", [1], {}, ["params.kwargs.second"], "is missing"),
    ],
)
def test_check_call_refuses(
    name: str, args: list[Any], kwargs: dict[str, Any], fields: list[str], words: str
) -> None:
    with pytest.raises(Invalid) as error:
        check_call(resolve(f"{JOBS}:{name}"), args, kwargs)
    assert codes(error) == ("INVALID_PARAMS", tuple(fields))
    assert words in error.value.message


def test_check_call_names_every_fault_at_once() -> None:
    with pytest.raises(Invalid) as error:
        check_call(resolve(f"{JOBS}:needs"), [], {"a": 1, "b": 2})
    assert len(error.value.faults) == 3


def test_call_gives_what_is_declared_and_nothing_else() -> None:
    given = {"db": "the database", "run": "the run"}
    assert resolve(f"{JOBS}:needs").call([1], {"second": 5}, given) == 6


@pytest.mark.parametrize(
    ("args", "kwargs", "seen"),
    [
        ([1, 2], {}, [1, "DB", 2, "RUN", [], 0]),
        ([1, 2, 3, 4], {}, [1, "DB", 2, "RUN", [3, 4], 0]),
        ([1], {"second": 2}, [1, "DB", 2, "RUN", [], 0]),
        ([], {"first": 1, "second": 2, "last": 9}, [1, "DB", 2, "RUN", [], 9]),
    ],
)
def test_call_keeps_positions_around_injected_names(
    args: list[Any], kwargs: dict[str, Any], seen: list[Any]
) -> None:
    function = resolve(f"{JOBS}:mixed")
    assert function.injected == {"db", "run"} < set(INJECTED)
    assert function.call(args, kwargs, {"db": "DB", "run": "RUN"}) == seen


def test_call_of_a_function_without_a_signature() -> None:
    function = resolve("builtins:max")
    check_call(function, [1, 2], {})
    assert function.call([1, 2], {}, {}) == 2


def test_kwargs_of_any_name_are_not_injected(module: Callable[[str, str], str]) -> None:
    name = module("takes_anything", "def f(**kwargs):\n    return sorted(kwargs)\n")
    function = resolve(f"{name}:f")
    assert function.injected == frozenset()
    assert function.call([], {"x": 1}, {"db": 1, "run": 2}) == ["x"]


def test_a_function_gets_what_other_jobs_came_to_if_it_says_so(module: Callable[[str, str], str]) -> None:
    name = module("takes_inputs", "def f(factor, inputs):\n    return factor * inputs['a']\n")
    function = resolve(f"{name}:f")
    check_call(function, [2], {})
    assert function.call([2], {}, {"inputs": {"a": 21}}) == 42
    with pytest.raises(Invalid, match="is given by Cronzimus"):
        check_call(function, [2], {"inputs": {}})
