"""A web server on a thread, whose answers the test writes, down to the bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, "Asked"], None]


@dataclass
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split()[1]


@dataclass
class Web:
    """Where it listens, what it was asked, what it answers."""

    port: int
    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def plain(status: int = 200, body: bytes = b"ok", **headers: str) -> Answer:
    """A whole answer at once."""

    def answer(peer: socket.socket, asked: Asked) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        sent = b"" if asked.line.startswith("HEAD") else body
        peer.sendall("\r\n".join([*lines, "", ""]).encode() + sent)

    return answer


def raw(*parts: bytes) -> Answer:
    """Bytes, and then silence until the other side gives up."""

    def answer(peer: socket.socket, asked: Asked) -> None:
        for part in parts:
            peer.sendall(part)
        peer.recv(1)

    return answer


def endless(first: bytes, again: bytes, pause: float = 0.01) -> Answer:
    """A beginning, and then the same bytes until the other side gives up."""

    def answer(peer: socket.socket, asked: Asked) -> None:
        peer.sendall(first)
        stop = threading.Event()
        while True:
            peer.sendall(again)
            stop.wait(pause)

    return answer


@contextmanager
def serving(answer: Answer | None = None) -> Iterator[Web]:
    """A server for the length of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = Web(listener.getsockname()[1], answer or plain())
        thread = threading.Thread(target=_serve, args=(listener, web), daemon=True)
        thread.start()
        yield web
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def _serve(listener: socket.socket, web: Web) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer, suppress(OSError):
            asked = _read(peer)
            web.asked.append(asked)
            web.arrived.set()
            web.answer(peer, asked)
        web.closed.set()


def _read(peer: socket.socket) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65_536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65_536)
    return Asked(line, headers, body)
