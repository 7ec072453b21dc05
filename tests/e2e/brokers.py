"""Brokers of a test's own: each may be killed and started again, and nobody else notices."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.postgres import free_port
from tests.e2e.waiting import until

_START_SECONDS = 60.0
# Debian's wrapper of RabbitMQ changes the user; this is what it calls.
_RABBIT = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class Broker:
    """One server in a directory of its own. What it has accepted it may forget when it is killed."""

    def __init__(self) -> None:
        """Starts it; skips the test where there is none to start."""
        self.folder = Path(tempfile.mkdtemp(prefix="cz-e2e-broker-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """What it reads from its environment."""
        return {}

    def answers(self) -> bool:
        """Whether it talks its own language on its port."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment()},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._lives, _START_SECONDS, f"{type(self).__name__} to start; its log: {self.folder / 'log'}")

    def kill(self) -> None:
        """kill -9 of it and of all it started."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        until(lambda: not self._accepts(), 10, "the port to be free")

    def remove(self) -> None:
        """End it and delete what it wrote."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lives(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self.folder / "log").read_text()
        return self._accepts() and self.answers()

    def _accepts(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def _says(self, greeting: bytes) -> bytes:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as link:
            link.sendall(greeting)
            return link.recv(64)
        return b""


class Redis(Broker):
    """Keeps nothing on disk: killed, it forgets every delivery."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("there is no redis-server to start")
        super().__init__()
        self.start()

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Without a snapshot or a log of changes."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        return ["redis-server", *options]

    def answers(self) -> bool:
        """PING."""
        return self._says(b"PING\r\n").startswith(b"+PONG")


class Rabbit(Broker):
    """A node with a name, a port and a folder of its own."""

    def __init__(self) -> None:
        if not Path(_RABBIT).exists():
            pytest.skip("there is no rabbitmq-server to start")
        super().__init__()
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.folder / "plugins").write_text("[].\n")
        self._distribution = free_port()
        self.start()

    @property
    def url(self) -> str:
        """Its first virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def command(self) -> list[str]:
        """The node in the foreground."""
        return [_RABBIT]

    def environment(self) -> Mapping[str, str]:
        """Where everything of this node is."""
        return {
            "RABBITMQ_NODENAME": f"cz{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }

    def answers(self) -> bool:
        """The first frame of the handshake."""
        return self._says(b"AMQP\x00\x00\x09\x01")[:1] == b"\x01"
