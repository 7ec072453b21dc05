"""Fields of APScheduler's cron triggers, one by one."""

from typing import Any

import pytest

from cronzimus.importers.apscheduler_cron import Unreadable, cron_fields
from cronzimus.importers.pickles import Name, Record


def field(name: str, *expressions: Record) -> Record:
    return Record(Name("f", "Field"), (), {"name": name, "expressions": list(expressions)})


def expression(kind: str, **state: Any) -> Record:
    return Record(Name("e", f"{kind}Expression"), (), state)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([field("year", expression("All")), field("week", expression("All"))], {}),
        ([field("hour", expression("All", step=None))], {"hour": "*"}),
        ([field("hour", expression("All", step=3))], {"hour": "*/3"}),
        ([field("hour", expression("Range", first=3, last=3))], {"hour": "3"}),
        ([field("hour", expression("Range", first=3, last=9, step=2))], {"hour": "3-9/2"}),
        ([field("hour", expression("Range", first=3, last=None, step=2))], {"hour": "3/2"}),
        ([field("month", expression("MonthRange", first=1, last=3))], {"month": "1-3"}),
        ([field("day_of_week", expression("WeekdayRange", first=4, last=6))], {"day_of_week": "fri,sat,sun"}),
        (
            [field("day_of_week", expression("Range", first=0, last=6, step=3))],
            {"day_of_week": "mon,thu,sun"},
        ),
        (
            [field("hour", expression("Range", first=1, last=1), expression("Range", first=5, last=6))],
            {"hour": "1,5-6"},
        ),
        (
            [
                field("day", expression("WeekdayPosition", weekday=0, option_num=1)),
                field("day_of_week", expression("All")),
            ],
            {"day_of_week": "mon#2"},
        ),
        ([field("day", expression("WeekdayPosition", weekday=4, option_num=5))], {"day_of_week": "friL"}),
        ([field("day", expression("LastDayOfMonth"))], {"day": "L"}),
    ],
)
def test_fields(fields: list[Record], told: dict[str, str]) -> None:
    assert cron_fields(fields) == told


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"hour: an expression of the kind e\.MoonExpression is not known"):
        cron_fields([field("hour", expression("Moon"))])
