"""A TCP proxy before PostgreSQL: a network that can be cut, silenced, slowed, or lose just one answer."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)
_READY = b"Z\x00\x00\x00\x05"


class Mode(Enum):
    """What the network does to every byte."""

    PASS = "pass"
    SWALLOW = "swallow"
    HOLD = "hold"
    CUT = "cut"


class Fate(Enum):
    """What becomes of a statement."""

    LOST = "the server never gets it"
    UNANSWERED = "the server carries it out, and its answer is lost"
    CARRIED = "nothing: it was only waited for"


@dataclass(slots=True)
class Incident:
    """What happens to statements that contain a text: to each `every`-th of them, `times` times.

    `after` must have come earlier in the transaction. `then` is called at the moment of the fate.
    """

    texts: tuple[str, ...]
    fate: Fate
    times: int
    every: int
    after: str
    then: Callable[[], object]
    seen: int = 0
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, statement: str, before: str) -> bool:
        """Whether it happens to this statement."""
        if not any(text in statement for text in self.texts) or self.after not in before:
            return False
        with self.lock:
            self.seen += 1
            hit = self.done < self.times and self.seen % self.every == 0
            self.done += hit
            return hit


class Proxy:
    """Listens on `port` and passes everything on to the server, until told otherwise."""

    def __init__(self, upstream_port: int, address: str = "127.0.0.1") -> None:
        self.upstream_port = upstream_port
        self.mode = Mode.PASS
        self.delay_seconds = 0.0
        self.incident: Incident | None = None
        self.changed = threading.Condition()
        self._links: set[Link] = set()
        self._closed = False
        self._listener = socket.create_server((address, 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def heal(self) -> None:
        """Pass everything again; what was held goes on its way now, late."""
        self._become(Mode.PASS)

    def blackhole(self, *, hold: bool = False) -> None:
        """Answer nothing and refuse nothing. With `hold`, what is sent meanwhile arrives when it is over."""
        self._become(Mode.HOLD if hold else Mode.SWALLOW)

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._become(Mode.CUT)
        for link in list(self._links):
            link.reset()

    def meddle(
        self,
        fate: Fate,
        *texts: str,
        times: int = 1_000_000,
        every: int = 1,
        after: str = "",
        then: Callable[[], object] = lambda: None,
    ) -> Incident:
        """Let something happen to statements that contain one of the texts."""
        self.incident = Incident(texts, fate, times, every, after, then)
        return self.incident

    def be_reliable(self) -> None:
        """Every statement arrives and gets its answer again."""
        self.incident = None

    def close(self) -> None:
        """End every connection and stop listening."""
        self._closed = True
        self._become(Mode.CUT)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in list(self._links):
            link.reset()

    def may_pass(self) -> bool:
        """Wait as long as bytes are held; whether they may go on."""
        with self.changed:
            self.changed.wait_for(lambda: self.mode is not Mode.HOLD)
        return self.mode is Mode.PASS

    def wait_out(self) -> None:
        """Wait until the network speaks again: until then neither side can learn that the other left."""
        with self.changed:
            self.changed.wait_for(lambda: self.mode in (Mode.PASS, Mode.CUT))

    def dawdle(self) -> None:
        """Be slow, if the network is to be slow."""
        if self.delay_seconds:
            time.sleep(self.delay_seconds)

    def forget(self, link: "Link") -> None:
        """A connection has ended."""
        self._links.discard(link)

    def _become(self, mode: Mode) -> None:
        with self.changed:
            self.mode = mode
            self.changed.notify_all()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.mode is Mode.CUT:
                _reset(client)
                continue
            link = Link(self, client)
            self._links.add(link)
            threading.Thread(target=link.run, name="proxy-link", daemon=True).start()


class Link:
    """One client's connection, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server: socket.socket | None = None
        self._unanswered: Incident | None = None
        self._statements = Statements()

    def run(self) -> None:
        """Carry bytes both ways until either side ends."""
        if not self._connect():
            self.reset()
            return
        back = threading.Thread(target=self._carry_back, name="proxy-back", daemon=True)
        back.start()
        self._carry_on()
        back.join()
        for side in (self._client, self._server):
            if side is not None:
                side.close()
        self._proxy.forget(self)

    def reset(self) -> None:
        """RST to both sides."""
        for side in (self._client, self._server):
            if side is not None:
                _reset(side)

    def _connect(self) -> bool:
        """A connection made while nothing passes hangs, as it would in a network that drops its packets."""
        with suppress(OSError):
            if not self._proxy.may_pass():
                self._drain(self._client)
                return False
            self._server = socket.create_connection(("127.0.0.1", self._proxy.upstream_port), timeout=5)
            self._server.settimeout(None)
            return True
        return False

    def _carry_on(self) -> None:
        """Client to server."""
        assert self._server is not None
        with suppress(OSError):
            while data := self._client.recv(_CHUNK):
                if not self._proxy.may_pass():
                    self._drain(self._client)
                    break
                if self._is_lost(data):
                    self.reset()
                    return
                self._server.sendall(data)
        self._proxy.wait_out()
        _shut(self._server)

    def _carry_back(self) -> None:
        """Server to client."""
        assert self._server is not None
        with suppress(OSError):
            while data := self._server.recv(_CHUNK):
                if self._unanswered is not None:
                    if data[-6:-1] == _READY:
                        self._unanswered.then()
                        self.reset()
                        return
                    continue
                if not self._proxy.may_pass():
                    self._drain(self._server)
                    break
                self._proxy.dawdle()
                self._client.sendall(data)
        self._proxy.wait_out()
        _shut(self._client)

    def _is_lost(self, data: bytes) -> bool:
        """Whether to lose these bytes; an answer to be lost is noted for the way back."""
        for statement, before in self._statements.feed(data):
            incident = self._proxy.incident
            if incident is None or not incident.strikes(statement, before):
                continue
            if incident.fate is Fate.UNANSWERED:
                self._unanswered = incident
                return False
            incident.then()
            return incident.fate is Fate.LOST
        return False

    def _drain(self, side: socket.socket) -> None:
        """What was swallowed is gone: nothing ever passes on this connection again."""
        with suppress(OSError):
            while side.recv(_CHUNK):
                continue


class Statements:
    """The statements a client executes, read from its side of the wire."""

    def __init__(self) -> None:
        self._buffer = b""
        self._started = False
        self._prepared: dict[bytes, str] = {}
        self._transaction = ""

    def feed(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Each statement that is executed by these bytes, with those before it in its transaction."""
        self._buffer += data
        while message := self._next():
            statement = self._executed(*message)
            if statement is not None:
                if statement.startswith("BEGIN"):
                    self._transaction = ""
                yield statement, self._transaction
                self._transaction += statement

    def _next(self) -> tuple[bytes, bytes] | None:
        """The next whole message as (type, body); the first ones have no type."""
        head = 5 if self._started else 4
        if len(self._buffer) < head:
            return None
        (length,) = struct.unpack("!I", self._buffer[head - 4 : head])
        end = head - 4 + length
        if len(self._buffer) < end:
            return None
        kind, body = self._buffer[: head - 4], self._buffer[head:end]
        self._buffer = self._buffer[end:]
        if not self._started and body[:2] == b"\x00\x03":
            self._started = True
        return kind, body

    def _executed(self, kind: bytes, body: bytes) -> str | None:
        if kind == b"Q":
            return body.rstrip(b"\x00").decode(errors="replace")
        if kind == b"P":
            name, text, _ = body.split(b"\x00", 2)
            self._prepared[name] = text.decode(errors="replace")
        elif kind == b"B":
            return self._prepared.get(body.split(b"\x00", 2)[1], "")
        return None


def _reset(side: socket.socket) -> None:
    """RST instead of FIN; a thread that waits for bytes is woken first, or it keeps the socket open."""
    with suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        side.shutdown(socket.SHUT_RD)
    side.close()


def _shut(side: socket.socket | None) -> None:
    with suppress(OSError):
        if side is not None:
            side.shutdown(socket.SHUT_RDWR)
