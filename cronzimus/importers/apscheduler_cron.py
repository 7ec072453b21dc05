"""The fields of APScheduler's CronTrigger as cron text; its weekdays begin with Monday, ours are named."""

from collections.abc import Iterable
from typing import Any, Final

from cronzimus.importers.pickles import Record

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ANY: Final = "*"
_LAST: Final = 5


class Unreadable(ValueError):
    """A job that cannot be taken over, and why."""


def cron_fields(fields: Iterable[Record]) -> dict[str, str]:
    """Each field as cron text under our name for it; what is any is left out where that goes without saying."""
    told: dict[str, str] = {}
    for field in fields:
        name = str(field.fields["name"])
        parts = [_expression(name, one) for one in field.fields["expressions"]]
        positions = [text for place, text in parts if place == "day_of_week"]
        if name == "day" and positions:
            if len(positions) < len(parts):
                raise Unreadable(
                    "days of the month and weekdays of the month in one field have no counterpart"
                )
            told["day_of_week"] = ",".join(positions)
            continue
        text = ",".join(text for _, text in parts)
        if name == "day_of_week" and text == _ANY and "day_of_week" in told:
            continue
        told[name] = text
    if told.get("day", _ANY) != _ANY and told.get("day_of_week", _ANY) != _ANY:
        raise Unreadable("day and day_of_week must both match there; cron fires when one of them does")
    return {name: text for name, text in told.items() if text != _ANY or name not in ("year", "week")}


def _expression(field: str, expression: Record) -> tuple[str, str]:
    """The field the text belongs to, and the text."""
    kind, state = expression.made_by.name, expression.fields
    step = f"/{state['step']}" if state.get("step") else ""
    if kind == "AllExpression":
        return field, f"{_ANY}{step}"
    if kind == "LastDayOfMonthExpression":
        return field, "L"
    if kind == "WeekdayPositionExpression":
        day, place = _DAYS[state["weekday"]], state["option_num"]
        return "day_of_week", f"{day}L" if place == _LAST else f"{day}#{place + 1}"
    if kind in ("RangeExpression", "MonthRangeExpression", "WeekdayRangeExpression"):
        return field, _range(field, state, step)
    raise Unreadable(f"{field}: an expression of the kind {expression.made_by} is not known")


def _range(field: str, state: dict[str, Any], step: str) -> str:
    first, last = state["first"], state.get("last")
    if field == "day_of_week":
        days = range(first, (6 if last is None else last) + 1, state.get("step") or 1)
        return ",".join(_DAYS[day] for day in days)
    if last is None:
        return f"{first}{step}"
    return f"{first}{step}" if first == last else f"{first}-{last}{step}"
