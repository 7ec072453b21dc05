"""When a rule raises an alert, in words."""

from collections.abc import Mapping
from typing import Any

from cronzimus.services.alerts.words import length


def when_in_words(when: Mapping[str, Any]) -> str:
    """The condition of a rule's document; one that this version does not know is only named."""
    condition: str
    said: Any
    condition, said = next(iter(when.items()))
    match condition, said:
        case "failure", _:
            return "a run fails"
        case "first_failure", _:
            return "a run fails after a success"
        case "broken", _:
            return "a definition cannot be loaded"
        case "failures_in_a_row", count:
            return f"{count} runs in a row fail"
        case "queue_older_than", seconds:
            return f"a run waits for a worker for longer than {length(seconds)}"
        case "no_leader", seconds:
            return f"no replica fires for {length(seconds)}"
        case "paused_longer_than", seconds:
            return f"a job is paused for longer than {length(seconds)}"
        case ("not_started" | "not_finished" | "too_long"), details:
            return _detailed(condition, details)
        case _:
            return condition


def _detailed(condition: str, details: Mapping[str, Any]) -> str:
    verb = "began" if condition == "not_started" else "succeeded"
    fine = f", unless {' or '.join(details['except'])}" if details.get("except") else ""
    match details:
        case {"within": seconds}:
            return f"no run {verb} within {length(seconds)} of an instant that was due{fine}"
        case {"by": clock}:
            zone = details.get("timezone")
            return f"no run {verb} by {clock}{f' {zone}' if zone else ''}{fine}"
        case {"seconds": seconds}:
            return f"a run goes on for longer than {length(seconds)}"
        case {"p95_times": factor}:
            usual = f"what 95 of 100 took of the last {details.get('over', 50)}"
            return f"a run goes on for longer than {factor:g} times {usual}"
        case _:
            return condition
