"""What one attempt says, bounded: its beginning as it comes, its end when it ends, and a note between them."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cronzimus.common.lines import Lines
from cronzimus.models.log_line import LogLine, LogSink, Stream
from cronzimus.models.run import Claim, Ended, RunState

# What a line costs beside its text, in the database and in memory.
LINE_OVERHEAD = 64

_LARGEST_PIECE, _SMALLEST_PIECE = 4096, 16
_MOST_LINES_OF_A_RECORD = 1000
_FLUSH_SECONDS = 0.5
_FULL = "The log is long. What follows is kept from its end backwards and shown when the attempt ends."


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept of one attempt, in bytes, and of one line, in characters."""

    attempt: int = 1_048_576
    line: int = 8192


class Unwritten:
    """A sink for what nobody keeps."""

    def put(self, lines: Sequence[LogLine]) -> None:
        """Forget them."""

    def flush(self, timeout: float) -> bool:
        """Nothing is left to store."""
        return True


@dataclass(slots=True)
class _Piece:
    """A part of a stream as it came, or one line of the log, ready to be stored; that one has a level."""

    at: datetime
    stream: Stream
    level: str | None
    logger: str | None
    data: bytes
    lines: int
    cost: int = 0


class _Tail:
    """The last pieces, unread: a program that prints without end costs a copy and no more."""

    def __init__(self, limit: int, piece: int) -> None:
        self._limit, self._piece = limit, piece
        self._cost = 0
        self.pieces: deque[_Piece] = deque()
        self.bytes_dropped = 0
        self.torn: set[Stream] = set()

    def add(self, piece: _Piece) -> None:
        """Keep it, and drop the oldest there is no room for."""
        piece.cost = len(piece.data) + LINE_OVERHEAD * (piece.lines or 1)
        last = self.pieces[-1] if self.pieces else None
        if last is not None and self._continues(last, piece):
            last.data += piece.data
            # A line in several pieces is one line.
            piece.cost -= LINE_OVERHEAD
            last.cost += piece.cost
        else:
            self.pieces.append(piece)
        self._cost += piece.cost
        while self._cost > self._limit and self.pieces:
            self._drop(self.pieces.popleft())

    def _continues(self, last: _Piece, piece: _Piece) -> bool:
        return (
            piece.stream is last.stream
            and piece.level is None
            and not last.data.endswith(b"\n")
            and len(last.data) < self._piece
        )

    def _drop(self, piece: _Piece) -> None:
        self._cost -= piece.cost
        self.bytes_dropped += len(piece.data)
        if piece.level is None:
            (self.torn.discard if piece.data.endswith(b"\n") else self.torn.add)(piece.stream)


class AttemptLog:
    """Takes what an attempt prints and logs, from any thread; nothing here waits for the database but `end`.

    Half of the limit is for the beginning, which goes to the sink line by line. The rest is kept as it came,
    the newest of it, and becomes lines at the end. After its end a log takes nothing more.
    """

    __slots__ = (
        "run_id",
        "_claim",
        "_sink",
        "_limits",
        "_piece",
        "_lock",
        "_liners",
        "_tail",
        "_cost",
        "_seen",
        "_kept",
        "_closed",
    )

    def __init__(self, claim: Claim, sink: LogSink, limits: Limits) -> None:
        self.run_id = str(claim.run_id)
        self._claim, self._sink, self._limits = claim, sink, limits
        self._piece = min(max(limits.attempt // 256, _SMALLEST_PIECE), _LARGEST_PIECE)
        # Re-entrant: what a signal handler or a finaliser prints may come in the middle of another line.
        self._lock = threading.RLock()
        self._liners: dict[Stream, Lines] = {}
        self._tail: _Tail | None = None
        self._cost = self._seen = self._kept = 0
        self._closed = False

    def write(self, stream: Stream, data: bytes) -> None:
        """Something was printed."""
        now = datetime.now(UTC)
        with self._lock:
            for start in range(0, len(data), self._piece):
                part = data[start : start + self._piece]
                self._take(_Piece(now, stream, None, None, part, part.count(b"\n")))

    def say(self, stream: Stream, level: str, logger: str | None, text: str) -> None:
        """Something was logged; each of its lines becomes one."""
        now = datetime.now(UTC)
        with self._lock:
            for line in _said(text, self._limits.line):
                self._take(_Piece(now, stream, level, logger, line.encode(), 1))

    def end(self, ended: Ended) -> None:
        """Say what went wrong, hand on what is left, and wait a moment until it is stored."""
        if ended.error is not None and ended.state is not RunState.CANCELLED:
            trace = str(ended.error.get("traceback") or "").rstrip()
            self.say(
                Stream.SYSTEM, "ERROR", None, trace or f"{ended.error['type']}: {ended.error['message']}"
            )
        if self.close():
            self._sink.flush(_FLUSH_SECONDS)

    def close(self) -> bool:
        """Take nothing more and hand on what is left; whether there was anything in all."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._sink.put([*self._last_lines()])
            return self._kept > 0

    def _take(self, piece: _Piece) -> None:
        if self._closed:
            return
        self._seen += piece.lines
        if self._tail is not None:
            self._tail.add(piece)
            return
        lines = self._lines_of(piece)
        if not lines:
            return
        self._count(lines)
        if self._cost > self._limits.attempt // 2:
            self._tail = _Tail(self._limits.attempt - self._cost, self._piece)
            lines.append(self._note("INFO", _FULL))
        self._sink.put(lines)

    def _count(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            self._cost += _cost_of(line)
            self._kept += 1

    def _lines_of(self, piece: _Piece) -> list[LogLine]:
        if piece.level is not None:
            return [self._line(piece.at, piece.stream, piece.level, piece.logger, piece.data.decode())]
        liner = self._liners.get(piece.stream)
        if liner is None:
            liner = self._liners[piece.stream] = Lines(self._limits.line)
        texts = liner.feed(piece.data)
        return [self._line(piece.at, piece.stream, piece.level, piece.logger, text) for text in texts]

    def _last_lines(self) -> Iterator[LogLine]:
        if self._tail is None:
            lines = list(self._unfinished())
            self._count(lines)
            yield from lines
            return
        kept, dropped = _newest(self._tail_lines(self._tail), self._limits.attempt - self._cost)
        self._kept += len(kept)
        if missing := self._seen - self._kept:
            size = self._tail.bytes_dropped + dropped
            yield self._note("WARNING", f"{missing} lines ({size} bytes) were dropped here.")
        yield from kept

    def _tail_lines(self, tail: _Tail) -> Iterator[LogLine]:
        for stream in tail.torn:  # its line began in what was dropped: a rest of it could be half a secret
            self._liners[stream] = Lines(self._limits.line)
        for piece in tail.pieces:
            if piece.level is None and piece.stream in tail.torn:
                _, end, piece.data = piece.data.partition(b"\n")
                if not end:
                    continue
                tail.torn.discard(piece.stream)
            yield from self._lines_of(piece)
        yield from self._unfinished()

    def _unfinished(self) -> Iterator[LogLine]:
        now = datetime.now(UTC)
        for stream, liner in self._liners.items():
            for text in liner.end():
                self._seen += 1
                yield self._line(now, stream, None, None, text)

    def _note(self, level: str, text: str) -> LogLine:
        return self._line(datetime.now(UTC), Stream.SYSTEM, level, None, text)

    def _line(
        self, at: datetime, stream: Stream, level: str | None, logger: str | None, text: str
    ) -> LogLine:
        claim = self._claim
        return LogLine(claim.run_id, claim.job_id, claim.attempt, at, stream, level, logger, text)


def _said(text: str, longest: int) -> list[str]:
    """The lines of a record."""
    head = "\n".join(text.split("\n")[:_MOST_LINES_OF_A_RECORD])
    lines = Lines(longest)
    return lines.feed(head.encode("utf-8", "replace") + b"\n")


def _newest(lines: Iterable[LogLine], limit: int) -> tuple[deque[LogLine], int]:
    """As many of the last lines as there is room for, and how many bytes there was none for."""
    kept: deque[LogLine] = deque()
    cost = dropped = 0
    for line in lines:
        kept.append(line)
        cost += _cost_of(line)
        while cost > limit and kept:
            gone = _cost_of(kept.popleft())
            cost -= gone
            dropped += gone - LINE_OVERHEAD + 1
    return kept, dropped


def _cost_of(line: LogLine) -> int:
    text = line.line
    return LINE_OVERHEAD + (len(text) if text.isascii() else len(text.encode()))
