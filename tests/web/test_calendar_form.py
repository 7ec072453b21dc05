"""A calendar's document as fields, and back."""

from typing import Any

import pytest

from cronzimus.models.calendar import Calendar
from cronzimus.web.calendar_form import EMPTY, country_in_words, document_of, said_of, split
from cronzimus.web.forms import Said

WHOLE: dict[str, Any] = {
    "id": "ours",
    "description": "Ours",
    "timezone": "Europe/Berlin",
    "days": [{"on": "2026-12-24..2026-12-26", "name": "Three days"}, {"on": "12-31", "name": ""}],
    "weekdays": ["sat", "sun"],
    "countries": [{"country": "DE", "subdivision": "BE"}, {"country": "AT", "subdivision": None}],
    "ics": {"url": "https://host/days.ics"},
    "includes": ["company", "theirs"],
}


@pytest.mark.parametrize("document", [WHOLE, {"id": "bare"}, {**WHOLE, "ics": None}])
def test_a_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    calendar = Calendar.model_validate(document)
    assert Calendar.model_validate(document_of(said_of(calendar.document()))) == calendar


def test_what_a_file_holds_stays_until_it_is_forgotten_or_an_address_takes_its_place() -> None:
    assert document_of(Said(EMPTY), "BEGIN")["ics"] == {"text": "BEGIN"}
    assert document_of(Said({**EMPTY, "forget_file": "1"}), "BEGIN")["ics"] is None
    assert document_of(Said({**EMPTY, "ics": "https://host"}), "BEGIN")["ics"] == {"url": "https://host"}
    assert document_of(Said(EMPTY))["ics"] is None


def test_lines_are_days_with_names() -> None:
    days = document_of(Said({**EMPTY, "days": " 12-24  Christmas Eve \r\n\r\n2026-05-01"}))["days"]
    assert days == [{"on": "12-24", "name": "Christmas Eve"}, {"on": "2026-05-01", "name": ""}]


def test_what_stands_between_commas() -> None:
    assert split(" a, ,b,") == ["a", "b"] and split("") == []


def test_a_country_is_written_with_its_part() -> None:
    assert country_in_words({"country": "DE", "subdivision": "BE"}) == "DE-BE"
    assert country_in_words({"country": "AT", "subdivision": None}) == "AT"
