"""What became of everything an importer read: one note for each line or entry, and the documents."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from cronzimus.models.faults import faults_of
from cronzimus.models.job import JobDefinition

_LONGEST_ID: Final = 63
_LONGEST_ECHO: Final = 200


class Fate(StrEnum):
    """What became of a line or an entry."""

    JOB = "job"
    PAUSED = "paused"
    DISABLED = "disabled"
    VARIABLE = "variable"
    COMMENT = "comment"
    BLANK = "blank"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Note:
    """One line or entry: `place` is a line number or a name, `job_id` the job it became, `text` why or what."""

    place: str
    fate: Fate
    text: str = ""
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """Everything that was read. `documents` are as `cronzimus plan` takes them."""

    documents: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...]

    @property
    def refused(self) -> tuple[Note, ...]:
        """What could not be taken over."""
        return tuple(note for note in self.notes if note.fate is Fate.REFUSED)

    @property
    def summary(self) -> dict[str, int]:
        """How many lines or entries met each fate."""
        return {fate: sum(note.fate is fate for note in self.notes) for fate in Fate}


class Names:
    """Ids made from what a job does: slugs, each given once, the same every time for the same input."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def slug(self, text: str) -> str:
        """A new id that says `text`."""
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_ID].rstrip("-") or "job"
        found, count = plain, 1
        while found in self._given:
            count += 1
            tail = f"-{count}"
            found = plain[: _LONGEST_ID - len(tail)].rstrip("-") + tail
        self._given.add(found)
        return found


def trouble_with(document: dict[str, Any]) -> str | None:
    """Why the document is no job; None when it is one."""
    try:
        definition = JobDefinition.model_validate({k: v for k, v in document.items() if k != "paused"})
        _ = definition.schedule
    except ValidationError as error:
        return "; ".join(f"{fault.field}: {fault.message}".lstrip(": ") for fault in faults_of(error))
    except ValueError as error:
        return str(error)
    return None


def line_of(note: Note) -> str:
    """A note as a line for people."""
    named = f" {note.job_id}" if note.job_id else ""
    return f"{note.place}: {note.fate}{named}{f': {note.text}' if note.text else ''}"


def told(notes: Iterable[str]) -> str:
    """Several remarks as one sentence."""
    return "; ".join(note for note in notes if note)


def shortened(text: str) -> str:
    """A line as it may be echoed."""
    text = text.strip()
    return text if len(text) <= _LONGEST_ECHO else f"{text[: _LONGEST_ECHO - 1]}…"
