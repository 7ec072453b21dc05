"""Networks of a test's own: processes in a namespace that reaches this machine over one wire, which can be pulled."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e.proxy import Proxy

_NUMBERS = itertools.count(1)


class Network:
    """A namespace with an address of its own; what it may reach here stands behind proxies on our end of the wire."""

    def __init__(self, stack: ExitStack) -> None:
        """Raises CalledProcessError where namespaces cannot be made."""
        self._stack = stack
        number = next(_NUMBERS)
        self.name = f"cz{os.getpid()}-{number}"
        self._wire = f"cz{os.getpid() % 100_000}v{number}"
        self.here = f"10.{200 + number}.{os.getpid() % 250}.1"
        there = self.here.removesuffix("1") + "2"
        _ip("netns", "add", self.name)
        stack.callback(_ip, "netns", "del", self.name)
        _ip("link", "add", self._wire, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("addr", "add", f"{self.here}/24", "dev", self._wire)
        _ip("link", "set", self._wire, "up")
        for words in (("addr", "add", f"{there}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", self.name, *words)
        _ip("-n", self.name, "link", "set", "lo", "up")

    @property
    def inside(self) -> tuple[str, ...]:
        """What stands before a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def reachable(self, url: str, port: int) -> str:
        """The same address as seen from there."""
        proxy = Proxy(port, self.here)
        self._stack.callback(proxy.close)
        return url.replace(f"127.0.0.1:{port}", f"{self.here}:{proxy.port}")

    def pull(self) -> None:
        """Take the wire away: no answer, no refusal."""
        _ip("link", "set", self._wire, "down")

    def plug(self) -> None:
        """Bring it back."""
        _ip("link", "set", self._wire, "up")


@contextmanager
def networks(count: int) -> Iterator[list[Network]]:
    """So many, gone afterwards; skips where they cannot be made."""
    with ExitStack() as stack:
        try:
            yield [Network(stack) for _ in range(count)]
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")


def _ip(*words: str) -> None:
    if shutil.which("ip") is None:
        pytest.skip("no network namespaces here: there is no `ip`")
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
