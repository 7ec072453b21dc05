"""A new rule as the fields of a form: when is a choice with one value, for whom another."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cronzimus.models.alert_rule import Severity

# Each choice of `when`: its words, an example of its value, and where the value stands in the document.
WHEN: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "failure": ("a run fails", "", ("failure",)),
    "first_failure": ("a run fails after a success", "", ("first_failure",)),
    "failures_in_a_row": ("so many runs in a row fail", "3", ("failures_in_a_row",)),
    "not_started": ("no run began so long after an instant that was due", "10m", ("not_started", "within")),
    "not_finished": (
        "no run succeeded so long after an instant that was due",
        "2h",
        ("not_finished", "within"),
    ),
    "not_finished_by": ("no run succeeded by a time of day", "06:30", ("not_finished", "by")),
    "too_long": ("a run goes on for longer than", "1h", ("too_long", "seconds")),
    "unusually_long": (
        "a run goes on for so many times the usual, learned",
        "2",
        ("too_long", "p95_times"),
    ),
    "queue_older_than": ("a run waits for a worker for longer than", "5m", ("queue_older_than",)),
    "no_leader": ("no replica fires for", "30s", ("no_leader",)),
    "paused_longer_than": ("a job is paused for longer than", "1d", ("paused_longer_than",)),
    "broken": ("a definition cannot be loaded", "", ("broken",)),
}
SCOPES: Final[Mapping[str, str]] = {
    "everything": "every job",
    "job": "the job",
    "tag": "jobs with the tag",
}
EMPTY: Final[Mapping[str, str]] = {
    "id": "",
    "description": "",
    "when": "first_failure",
    "value": "",
    "scope": "everything",
    "of": "",
    "severity": str(Severity.WARNING),
    "remind_every": "",
    "tell_recovery": "true",
}
_PLAIN: Final = ("id", "description", "severity", "remind_every")


def document_of(said: Mapping[str, str], channels: Sequence[str]) -> dict[str, Any]:
    """The rule that filled-in fields mean, unchecked."""
    return {
        **{name: said[name] for name in _PLAIN if said[name] or name == "id"},
        "when": _when(said["when"], said["value"]),
        "for": said["scope"] if said["scope"] not in ("job", "tag") else {said["scope"]: said["of"]},
        "channels": list(channels),
        "tell_recovery": said["tell_recovery"] == "true",
    }


def field_of(path: str) -> str:
    """The field of the form in which the mistake at a path of the document was made."""
    first, _, rest = path.partition(".")
    if first == "when":
        return "value" if rest else "when"
    if first == "for" and rest:
        return "of"
    # What is wrong with a rule as a whole is that its condition does not suit its jobs.
    return first if first in (*_PLAIN, "channels", "tell_recovery") else "scope"


def _when(choice: str, value: str) -> Any:
    """The condition of a document; a choice that is not offered stays a word, and the model says so."""
    if choice not in WHEN:
        return choice
    _, example, (condition, *inner) = WHEN[choice]
    if not example:
        return condition
    said = _counted(value) if condition == "failures_in_a_row" else value
    return {condition: {inner[0]: said} if inner else said}


def _counted(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
