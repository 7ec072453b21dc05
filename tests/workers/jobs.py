"""Task functions of every temper, for the tests of the execution room."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from os import system  # noqa: F401  # a way out that the allow-list must close
from typing import Any

from cronzimus.common.db import Database
from cronzimus.errors import Cancel, Snooze
from cronzimus.workers.context import RunContext, current_run
from cronzimus.workers.outcome import BusinessError
from tests.workers.support import BOARD

FORKS = """
import subprocess, sys
print(subprocess.Popen(sys.argv[1:], env={}, start_new_session=True, stdout=subprocess.DEVNULL).pid)
"""


class Rejected(BusinessError):
    """A failure that another try would repeat."""


def noop() -> None:
    pass


def give(value: Any = None) -> Any:
    return value


ODD: dict[str, Any] = {}


def give_odd() -> Any:
    return ODD["value"]


def boom_odd() -> None:
    raise ValueError("nul \x00 and \ud800")


def boom(message: str = "broken") -> None:
    raise ValueError(message)


def reject() -> None:
    raise Rejected("the order is paid already")


def leave(code: Any = 3) -> None:
    sys.exit(code)


def interrupt() -> None:
    raise KeyboardInterrupt


def snooze(seconds: float = 0.0, flag: str = "snoozed") -> str:
    if not BOARD.is_up(flag):
        BOARD.raise_flag(flag)
        raise Snooze(seconds)
    return "awake"


def call_off() -> None:
    raise Cancel("nothing to do")


def gate(name: str) -> str:
    """Say that it runs, and wait to be let through; deaf to everything else."""
    BOARD.raise_flag(f"{name}-started")
    BOARD.wait(f"{name}-go")
    BOARD.raise_flag(f"{name}-through")
    return "late"


def swallow(name: str) -> str:
    """A gate that takes no hint at all: what is raised into it is swallowed."""
    BOARD.raise_flag(f"{name}-started")
    try:
        BOARD.wait(f"{name}-go")
    except BaseException:
        BOARD.raise_flag(f"{name}-swallowed")
    BOARD.raise_flag(f"{name}-through")
    return "late"


def spin(name: str) -> None:
    """Never ends by itself, but executes bytecode."""
    BOARD.raise_flag(f"{name}-started")
    try:
        while True:
            pass
    finally:
        BOARD.raise_flag(f"{name}-unwound")


def polite(run: RunContext, name: str) -> str:
    """Ends as soon as it is asked to."""
    BOARD.raise_flag(f"{name}-started")
    asked = run.wait_cancelled(20)
    BOARD.raise_flag(f"{name}-asked" if asked else f"{name}-never-asked")
    return "cleaned up"


def facts(run: RunContext) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "job_id": run.job_id,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "cause": run.cause,
        "params": run.params,
        "trace_id": run.trace_id,
        "has_deadline": run.deadline is not None,
        "left": (run.time_left() or 0) > 0,
        "commands": list(run.settings.worker.allowed_commands),
        "is_current": current_run.get() is run,
    }


def ask_database(db: Database) -> Any:
    return db.fetch_one("select current_setting('application_name'), 1 + 1")


def sleep_in_database(db: Database, name: str) -> None:
    BOARD.raise_flag(f"{name}-started")
    db.fetch_one("select pg_sleep(60)")


def hold_a_lock(db: Database, name: str) -> None:
    """Lock a table in a transaction, and do nothing more."""
    with db.transaction() as tx:
        tx.execute("lock table effects")
        BOARD.raise_flag(f"{name}-started")
        BOARD.wait(f"{name}-go")


def sleep_in_database_of_process(db: Database, fifo: str) -> None:
    tell(fifo, os.getpid())
    db.fetch_one("select pg_sleep(60)")


def write_fenced(run: RunContext, name: str, text: str) -> str:
    """Write in the fenced transaction, waiting inside it to be let through."""
    with run.transaction() as tx:
        tx.execute("insert into effects (text) values (%s)", [text])
        BOARD.raise_flag(f"{name}-inside")
        BOARD.wait(f"{name}-go")
    return "written"


def write_fenced_then_fail(run: RunContext, text: str) -> None:
    with run.transaction() as tx:
        tx.execute("insert into effects (text) values (%s)", [text])
    raise ValueError("after the commit")


def write_fenced_at_once(run: RunContext, text: str) -> str:
    with run.transaction() as tx:
        tx.execute("insert into effects (text) values (%s)", [text])
    return "written"


def note(db: Database, run: RunContext) -> None:
    """Leave a trace of each execution."""
    db.execute("insert into effects values (%s)", [str(run.id)])


ALONE = threading.Semaphore(5)


def alone() -> int:
    """How many of us execute now."""
    with ALONE:
        threading.Event().wait(0.002)
        return 5 - ALONE._value


async def async_give(value: Any = None) -> Any:
    await asyncio.sleep(0)
    return value


async def async_boom() -> None:
    await asyncio.sleep(0)
    raise LookupError("in the loop")


async def async_hang(name: str) -> None:
    BOARD.raise_flag(f"{name}-started")
    try:
        await asyncio.Event().wait()
    finally:
        BOARD.raise_flag(f"{name}-unwound")


async def async_with_run(run: RunContext, db: Database) -> list[Any]:
    return [str(run.id), current_run.get() is run, type(db).__name__]


def spoil(values: list[int]) -> int:
    """Change what it was given."""
    values.append(1)
    return len(values)


def generator() -> Any:
    yield 1


def needs(first: int, second: int = 2) -> int:
    return first + second


def mixed(first: int, db: Any, second: int, run: Any, *rest: int, last: int = 0) -> list[Any]:
    return [first, db, second, run, list(rest), last]


def tell(fifo: str, *facts: object) -> None:
    with open(fifo, "w", encoding="utf-8") as file:
        file.writelines(f"{fact}\n" for fact in facts)


# --- in a process of its own ------------------------------------------------------------------------


def pid() -> int:
    return os.getpid()


def environment() -> dict[str, str]:
    return dict(os.environ)


def say_and_wait(run: RunContext, fifo: str) -> None:
    """Tell its pid, and be stopped; say so while unwinding."""
    try:
        tell(fifo, os.getpid())
        threading.Event().wait()
    finally:
        tell(fifo, f"unwound {run.cancelled}")


def deaf(fifo: str) -> None:
    """Ignore SIGTERM for good."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(fifo, os.getpid())
    while True:
        threading.Event().wait(60)


def family(fifo: str) -> None:
    """A child in our group, one that left it by setsid, and one that forked twice and dropped its environment."""
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    near = subprocess.Popen(sleeper)
    escaped = subprocess.Popen(sleeper, start_new_session=True)
    orphan = subprocess.run(
        [sys.executable, "-c", FORKS, *sleeper], stdout=subprocess.PIPE, check=True
    ).stdout
    tell(fifo, os.getpid(), near.pid, escaped.pid, int(orphan))
    threading.Event().wait()


def leave_behind(fifo: str) -> str:
    """Return while a child in a session of its own goes on."""
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    tell(fifo, left.pid)
    left.returncode = 0  # nobody waits for it
    return "done"


def hoard(mib: int) -> int:
    return len(b"x" * (mib * 1024 * 1024))


def die(signum: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), signum)
    threading.Event().wait()


def vanish(code: int = 0) -> None:
    os._exit(code)


def linger() -> str:
    """Return, leaving a thread that keeps the interpreter from ending."""
    threading.Thread(target=threading.Event().wait).start()
    return "returned"


def scribble() -> str:
    """Write rubbish into every descriptor that is open, the way a careless library might."""
    for fd in range(3, 64):
        try:
            os.write(fd, b"rubbish\n{}\n[1]\n")
        except OSError:
            continue
    return "answered"


def read_input() -> str:
    return sys.stdin.read()


def tell_key(key: str) -> dict[str, Any]:
    """Return what no result should hold."""
    return {"length": len(key), "text": f"it is {key}", key: [key]}


def spill_key(key: str) -> None:
    """Fail with what no error should hold."""
    raise ValueError(f"could not log in with {key}")


def speak(what: str, run: RunContext) -> None:
    print(f"{what} printed")
    print(f"{what} printed to stderr", file=sys.stderr)
    logging.getLogger("shop").warning("%s logged", what)
    run.logger.info("{} from the run", what)
    subprocess.run([sys.executable, "-c", f"print('{what} from a program')"], check=True)
    os.write(2, f"{what} from the system\n".encode())


def speak_and_die(what: str) -> None:
    print(what)
    os._exit(3)


def log_much(size: int, times: int) -> None:
    for _ in range(times):
        logging.getLogger("shop").warning("x" * size)


async def speak_async(what: str) -> None:
    async def child() -> None:
        print(f"{what} in a task")

    print(what)
    await asyncio.gather(child(), asyncio.to_thread(print, f"{what} in a thread"))


def speak_and_fail(what: str) -> None:
    print(what, end="")
    raise ValueError("wrong")


def speak_until_cancelled(run: RunContext) -> None:
    print("begun")
    BOARD.raise_flag("begun")
    while not BOARD.is_up("enough"):
        try:
            BOARD.wait("enough", 0.01)
            print("still here")
        except BaseException:
            print("not yet")
