"""`cronzimus calendars`: named days off."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from cronzimus.cli.asking import confirmed
from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.documents import Written, read_documents
from cronzimus.cli.failures import FAILED, OK
from cronzimus.cli.lists import page_options
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.several import for_each, saying
from cronzimus.errors import Invalid

_LARGEST_FILE: Final = 1_000_000
_LIST: Final = (
    Column("ID", lambda one: one["id"]),
    Column("VERSION", lambda one: one["version"]),
    Column("OFF", lambda one: _summary(one)),
    Column("REFRESHED", lambda one: instant(one["refreshed_at"]), extra=True),
    Column("TROUBLE", lambda one: one["trouble"], extra=True),
)
_DAYS: Final = (Column("DAY", lambda one: one["day"]), Column("NAME", lambda one: one["name"]))


@click.group("calendars", cls=RemoteGroup)
def calendars() -> None:
    """List, show, define, refresh and remove calendars of days off."""


@calendars.command("list")
@page_options
@click.pass_obj
def list_calendars(session: Session, /, **paging: Any) -> None:
    """List calendars by id."""
    show_page(session, connect(session).page("calendars", **paging), _LIST, "calendars")


@calendars.command("show")
@click.argument("calendar_id", metavar="ID")
@click.pass_obj
def show_calendar(session: Session, /, calendar_id: str) -> None:
    """Show what a calendar is made of."""
    found = connect(session).get("calendars", calendar_id)
    show(session, found, lambda: _draw(found))


@calendars.command("days")
@click.argument("calendar_id", metavar="ID")
@click.option("--from", "first", metavar="DATE", help="First day; today if not said.")
@click.option("--to", "last", metavar="DATE", help="Last day; a year later if not said.")
@click.pass_obj
def list_days(session: Session, /, calendar_id: str, first: str | None, last: str | None) -> None:
    """List the days off of a stretch of time."""
    query = {"from": first, "to": last}
    found = connect(session).get("calendars", calendar_id, "days", **query)
    show(session, found, lambda: draw_table(found["items"], _DAYS))


@calendars.command("add")
@click.argument("calendar_id", metavar="[ID]", required=False)
@click.option("--file", metavar="FILE", help="Calendar document(s) in YAML or JSON; - is standard input.")
@click.option("--weekday", "weekdays", multiple=True, help="A weekday that is off, such as sat. Repeatable.")
@click.option(
    "--day",
    "days",
    multiple=True,
    metavar="DAY",
    help="2026-12-24, 2026-12-24..2027-01-01, or 12-24 for every year. Repeatable.",
)
@click.option(
    "--country", "countries", multiple=True, metavar="CODE", help="Holidays of DE, or of DE-BE. Repeatable."
)
@click.option("--ics", metavar="FILE|URL", help="An iCalendar file, or where the service finds one.")
@click.option("--include", "includes", multiple=True, metavar="ID", help="Another calendar. Repeatable.")
@click.option("--timezone", metavar="ZONE", help="Whose days these are; the job's if not said.")
@click.option("--description", help="What it is for.")
@click.option("--replace", is_flag=True, help="Replace the one that is there.")
@click.pass_obj
def add_calendar(
    session: Session, /, calendar_id: str | None, file: str | None, replace: bool, **options: Any
) -> int:
    """Define a calendar by options, or calendars by a file."""
    verb = "replaced" if replace else "added"
    if file is not None:
        if calendar_id is not None or any(options.values()):
            raise Invalid("--file: holds the whole document; leave the ID and the other options out")
        client, found = connect(session), read_documents(file)
        return for_each(
            session, found, lambda one: _of_file(client, one, replace), name=_name, say=saying(verb)
        )
    if calendar_id is None:
        raise Invalid("give the ID of the calendar and what is off, or --file")
    answer = _sent(connect(session), _document(calendar_id, options), replace)
    show(session, answer, lambda: click.echo(f"{verb} {answer['id']} (version {answer['version']})"))
    return OK


@calendars.command("refresh")
@click.argument("calendar_ids", metavar="ID...", nargs=-1, required=True)
@click.pass_obj
def refresh_calendars(session: Session, /, calendar_ids: tuple[str, ...]) -> int:
    """Read countries and files again, which happens once a day by itself."""
    client = connect(session)
    return for_each(
        session,
        calendar_ids,
        lambda one: client.post("calendars", one, "refresh"),
        name=str,
        say=saying("refreshed"),
    )


@calendars.command("remove")
@click.argument("calendar_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove_calendars(session: Session, /, calendar_ids: tuple[str, ...], yes: bool) -> int:
    """Remove calendars that nothing uses."""
    if not confirmed(f"Remove {', '.join(calendar_ids)}?", already=yes):
        return FAILED
    client = connect(session)
    return for_each(session, calendar_ids, lambda one: _removed(client, one), name=str, say=saying("removed"))


def _document(calendar_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    given["countries"] = [_country(code) for code in options["countries"]]
    given["ics"] = None if options["ics"] is None else _ics(options["ics"])
    return {"id": calendar_id, **{name: value for name, value in given.items() if value}}


def _country(code: str) -> dict[str, str]:
    country, _, part = code.partition("-")
    return {"country": country.upper(), **({"subdivision": part} if part else {})}


def _ics(place: str) -> dict[str, str]:
    if place.startswith(("http://", "https://")):
        return {"url": place}
    try:
        content = Path(place).read_bytes()
        if len(content) > _LARGEST_FILE:
            raise Invalid(f"--ics: {place} is longer than {_LARGEST_FILE} bytes")
        return {"text": content.decode("utf-8-sig")}
    except OSError as error:
        raise Invalid(f"--ics: {place} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"--ics: {place} is not UTF-8 text") from None


def _of_file(client: Client, one: Written, replace: bool) -> Any:
    try:
        return _sent(client, one.document, replace)
    except Invalid as error:
        raise one.blame(error) from error


def _sent(client: Client, document: Mapping[str, Any], replace: bool) -> Any:
    if replace:
        return client.put("calendars", document.get("id", ""), body=document)
    return client.post("calendars", body=document)


def _removed(client: Client, calendar_id: str) -> dict[str, str]:
    client.delete("calendars", calendar_id)
    return {"id": calendar_id}


def _name(one: Written) -> str:
    return one.name


def _summary(one: Mapping[str, Any]) -> str:
    parts = [", ".join(one["weekdays"])] if one["weekdays"] else []
    parts += [f"{len(one['days'])} own days"] if one["days"] else []
    parts += [_code(country) for country in one["countries"]]
    parts += ["a file"] if one["ics"] else []
    parts += [f"all of {name}" for name in one["includes"]]
    return "; ".join(parts)


def _code(country: Mapping[str, Any]) -> str:
    return "-".join(filter(None, (country["country"], country["subdivision"])))


def _draw(one: Mapping[str, Any]) -> None:
    own = [f"{day['on']} {day['name']}".strip() for day in one["days"]]
    draw_fields(
        [
            ("id", one["id"]),
            ("version", one["version"]),
            ("description", one["description"]),
            ("timezone", one["timezone"]),
            ("weekdays", ", ".join(one["weekdays"])),
            ("days", ", ".join(own)),
            ("countries", ", ".join(map(_code, one["countries"]))),
            ("file", one["ics"] and (one["ics"]["url"] or f"{len(one['ics']['text'])} characters")),
            ("includes", ", ".join(one["includes"])),
            ("refreshed", instant(one["refreshed_at"])),
            ("trouble", one["trouble"]),
        ]
    )
