"""A calendar's document as the fields of a form, and back."""

from collections.abc import Mapping
from typing import Any, Final

from cronzimus.web.forms import Said

EMPTY: Final[Mapping[str, str]] = dict.fromkeys(
    ("id", "description", "timezone", "days", "countries", "ics", "includes", "forget_file", "tag"), ""
)


def said_of(document: Mapping[str, Any]) -> Said:
    """What the form shows of a document; what a file holds has no field."""
    fields = {
        "id": document["id"],
        "description": document["description"],
        "timezone": document["timezone"] or "",
        "days": "\n".join(f"{day['on']} {day['name']}".strip() for day in document["days"]),
        "countries": ", ".join(map(country_in_words, document["countries"])),
        "ics": (document["ics"] or {}).get("url") or "",
        "includes": ", ".join(document["includes"]),
    }
    return Said({**EMPTY, **fields}, tuple(document["weekdays"]))


def document_of(said: Said, file: str | None = None) -> dict[str, Any]:
    """The document that filled-in fields mean, unchecked; `file` is what the calendar holds already and keeps."""
    fields = said.fields
    return {
        "id": fields["id"],
        "description": fields["description"],
        "timezone": fields["timezone"] or None,
        "days": [_day(line) for line in fields["days"].splitlines() if line.strip()],
        "weekdays": list(said.taken),
        "countries": [_country(text) for text in split(fields["countries"])],
        "ics": _ics(fields, file),
        "includes": split(fields["includes"]),
    }


def country_in_words(country: Mapping[str, Any]) -> str:
    """A country and its part as ISO 3166-2 writes them: `DE-BE`."""
    return "-".join(filter(None, (country["country"], country["subdivision"])))


def split(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _day(line: str) -> dict[str, str]:
    on, _, name = line.strip().partition(" ")
    return {"on": on, "name": name.strip()}


def _country(text: str) -> dict[str, str | None]:
    country, _, part = text.partition("-")
    return {"country": country, "subdivision": part or None}


def _ics(fields: Mapping[str, str], file: str | None) -> dict[str, str] | None:
    if fields["ics"]:
        return {"url": fields["ics"]}
    return {"text": file} if file and not fields["forget_file"] else None
