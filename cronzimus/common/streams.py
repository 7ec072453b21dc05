"""The process's standard streams, divided: what one task prints may go somewhere else than what others print."""

from collections.abc import Callable, Iterable
from typing import Any, TextIO, cast

Write = Callable[[bytes], None]
Route = Callable[[], Write | None]


class RoutedStream:
    """Stands in for a text stream; each write goes where `route` says, to the original when it says nothing.

    Everything else is the original's: its number, its encoding, its closing.
    """

    def __init__(self, original: TextIO, route: Route) -> None:
        self.original = original
        self._route = route

    def write(self, text: str) -> int:
        """Write text; how many characters."""
        write = self._route()
        if write is None:
            return self.original.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        write(text.encode("utf-8", "replace"))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is kept back on a way of its own."""
        if self._route() is None:
            self.original.flush()

    def isatty(self) -> bool:
        """A way of its own is no terminal."""
        return self._route() is None and self.original.isatty()

    @property
    def buffer(self) -> "RoutedBytes":
        """The same for bytes."""
        return RoutedBytes(self.original, self._route)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class RoutedBytes:
    """The byte stream below a routed one."""

    def __init__(self, original: TextIO, route: Route) -> None:
        self._original, self._route = original, route

    def write(self, data: Any) -> int:
        """Write bytes; how many."""
        write = self._route()
        if write is None:
            return self._original.buffer.write(data)
        content = bytes(data)
        write(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is kept back on a way of its own."""
        if self._route() is None:
            self._original.buffer.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original.buffer, name)


def routed(stream: TextIO, route: Route) -> TextIO:
    """The stream with a junction before it; one that has a junction stays as it is."""
    known: Any = stream
    return stream if isinstance(known, RoutedStream) else cast(TextIO, RoutedStream(stream, route))


def unrouted(stream: TextIO) -> TextIO:
    """The stream behind the junction."""
    known: Any = stream
    return known.original if isinstance(known, RoutedStream) else stream
