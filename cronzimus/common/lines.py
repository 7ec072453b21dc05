"""Bytes that programs print, as lines that can be stored and shown: decoded, tame, masked, bounded."""

import codecs
import re

from cronzimus.common.masking import mask

# What is kept beyond a line's limit until it is masked, so that no cut can leave a part of a secret behind.
SLACK = 4096

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]?"  # colours, cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"  # strings to the device
    r"|[ -/]*[0-~]?)"
    r"|\x9b[0-?]*[ -/]*[@-~]?"
)
# Controls, line breaks of other kinds, marks that turn the direction of text, halves of surrogate pairs.
_UNTAME = re.compile("[\x01-\x08\n-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Lines:
    """Cuts one stream into lines, however its bytes arrive; of a line written over with `\\r` the last state.

    Characters split over two reads are put together, invalid bytes become U+FFFD. A line longer than
    `longest` characters is cut and says so. Secrets are masked in whole lines.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._cut = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in what was read."""
        *whole, rest = self._decoder.decode(data).split("\n")
        lines = []
        for piece in whole:
            self._add(piece)
            lines.append(self._taken())
        self._add(rest)
        return lines

    def end(self) -> list[str]:
        """The last line, if it did not end."""
        self._add(self._decoder.decode(b"", final=True))
        return [self._taken()] if self._rest or self._cut else []

    def _add(self, piece: str) -> None:
        text = self._rest + piece
        if "\r" in text:
            text = self._overwritten(text)
        room = self._longest + SLACK
        self._cut += max(0, len(text) - room)
        self._rest = text[:room]

    def _overwritten(self, text: str) -> str:
        """What a terminal shows; a `\\r` at the end may be one half of a line's end."""
        shown, carriage, last = text.rstrip("\r").rpartition("\r")
        if carriage:
            self._cut = 0
        return last + ("\r" if text.endswith("\r") else "")

    def _taken(self) -> str:
        text, cut = mask(tame(self._rest.removesuffix("\r"))), self._cut
        self._rest, self._cut = "", 0
        if not cut and len(text) <= self._longest:
            return text
        # The end of what was cut unmasked may be the beginning of a secret.
        kept = min(self._longest, len(text) - SLACK) if cut else self._longest
        kept = max(0, kept)
        return f"{text[:kept]} [... {cut + len(text) - kept} characters cut]"


def tame(text: str) -> str:
    """Text that a terminal or a page only shows: without escape sequences, NUL and controls but the tab."""
    if text.isprintable():
        return text
    return _UNTAME.sub("\ufffd", _ESCAPES.sub("", text.replace("\0", "")))
