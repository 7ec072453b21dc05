"""What the jobs of tests/e2e/test_logs.py do: speak in every way, and far too much."""

import logging
import os
import sys
import time
from pathlib import Path
from typing import Any


def flood(megabytes: int) -> None:
    """Colours, characters in two halves, a password in two halves, then noise without end."""
    out = sys.stdout
    print("\x1b[1mbegin\x1b[0m", flush=True)
    for half in ("half ü".encode()[:-1], "ü".encode()[-1:] + b" is whole\n", b"torn \xc3\n"):
        out.buffer.write(half)
        out.buffer.flush()
    for half in ("the password is hunt", "er2xyz, it is\n", "nul\x00 and bell\x07\n", "10%\r99%\r100%\n"):
        out.write(half)
        out.flush()
    block = ("noise " * 12 + "\n") * 100
    for _ in range(megabytes * 1024 * 1024 // len(block)):
        out.write(block)
    out.flush()
    print("last of stderr: hunter2xyz", file=sys.stderr)
    print("end", flush=True)


def steps(folder: str, run: Any) -> str:
    """Say a line, wait for a file, say another."""
    print("step 1")
    run.logger.info("logged by the run")
    logging.getLogger("shop").warning("logged by a library")
    _wait_for(Path(folder, "go"))
    print("step 2")
    os.write(2, b"past every Python\n")
    Path(folder, "done").touch()
    return "done"


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


if __name__ == "__main__":
    flood(int(sys.argv[1]))
