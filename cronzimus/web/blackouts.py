"""The form of a blackout of the house, and its end; the list is on the page of time off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import request
from werkzeug.wrappers import Response

from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.api.time_off import BlackoutPath, blackout_of
from cronzimus.errors import Conflict, CronzimusError, Invalid
from cronzimus.models.blackout import HouseBlackout, OnBlackout
from cronzimus.models.calendar import WEEKDAYS
from cronzimus.models.cron_zone import instant_of
from cronzimus.services.blackouts import StoredBlackout
from cronzimus.web.calendar_form import split
from cronzimus.web.forms import Said, check_form, done, faults_of, said_in
from cronzimus.web.room import Answer, page, room

pages = room("blackouts")

_LIST: Final = "/calendars"
_PLAIN: Final = ("id", "from", "to", "start", "end", "timezone", "policy", "reason")
_LISTED: Final = ("tags", "jobs")
_EMPTY: Final[Mapping[str, str]] = {
    **dict.fromkeys((*_PLAIN, *_LISTED, "revision"), ""),
    "timezone": "UTC",
    "policy": OnBlackout.SKIP,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A blackout and how it stands now; the instants are those of one that comes once."""

    blackout: HouseBlackout
    made_by: str
    state: str
    ends: datetime | None
    span: tuple[datetime, datetime] | None


def row_of(stored: StoredBlackout, now: datetime) -> Row:
    """How a blackout stands: active until `ends`, coming, over, or off until it comes again."""
    blackout = HouseBlackout.model_validate(stored.document)
    zone = blackout.timezone or "UTC"
    ends, span = blackout.end_of(now, zone), None
    if blackout.begins is not None and blackout.ends is not None:
        span = instant_of(blackout.begins, zone), instant_of(blackout.ends, zone)
    state = "active" if ends else "over" if span and span[1] <= now else "coming"
    return Row(blackout, stored.created_by, state, ends, span)


@pages.get("/blackouts/new")
@needs("admin")
def show_new_blackout() -> Answer:
    """The empty form."""
    return _form(None, Said(_EMPTY))


@pages.post("/blackouts/new")
@needs("admin")
def make_blackout() -> Response | tuple[Answer, int]:
    """A new blackout; it holds from the next decision on."""
    check_form()
    said = _said()
    try:
        stored = house().operating.blackouts.add(blackout_of(_document(said)), by=caller())
    except (Invalid, Conflict) as refused:
        return _refused(None, said, refused)
    return done(f"The blackout {stored.document['id']} is made", _LIST)


@pages.get("/blackouts/<blackout_id>/edit")
@needs("admin")
def show_edit_blackout(blackout_id: str) -> Answer:
    """The form, filled with the blackout as it is."""
    stored = house().operating.blackouts.get(_known(blackout_id))
    return _form(blackout_id, _said_of(stored))


@pages.post("/blackouts/<blackout_id>/edit")
@needs("admin")
def change_blackout(blackout_id: str) -> Response | tuple[Answer, int]:
    """Another window or scope, unless somebody else changed it since the form was shown."""
    check_form()
    known, said = _known(blackout_id), _said()
    blackouts = house().operating.blackouts
    try:
        blackout = blackout_of({**_document(said), "id": known})
        if str(blackouts.get(known).revision) != said.fields["revision"]:
            raise Conflict(f"the blackout {known} was changed meanwhile; load the form again")
        blackouts.replace(blackout, by=caller(), expected_revision=int(said.fields["revision"]))
    except (Invalid, Conflict) as refused:
        return _refused(known, said, refused)
    return done(f"The blackout {known} is changed", _LIST)


@pages.post("/blackouts/<blackout_id>/delete")
@needs("admin")
def end_blackout(blackout_id: str) -> Response:
    """End it; what it held already starts when it was to end."""
    check_form()
    house().operating.blackouts.remove(_known(blackout_id), by=caller())
    return done(f"The blackout {blackout_id} holds no more", _LIST)


def _form(blackout_id: str | None, said: Said, faults: Mapping[str, str] | None = None) -> str:
    return page(
        "blackout.html",
        twin=f"{V1}/blackouts/{blackout_id}" if blackout_id else f"{V1}/blackouts",
        blackout_id=blackout_id,
        fields=said.fields,
        taken=said.taken,
        choices={"policy": tuple(OnBlackout), "days": WEEKDAYS},
        faults=faults or {},
    )


def _refused(blackout_id: str | None, said: Said, refused: CronzimusError) -> tuple[Answer, int]:
    faults, status = faults_of(refused)
    return _form(blackout_id, said, faults), status


def _said() -> Said:
    return said_in(request.form, _EMPTY, "days")


def _said_of(stored: StoredBlackout) -> Said:
    document = stored.document
    plain = {name: document[name] or "" for name in _PLAIN}
    lists = {name: ", ".join(document[name]) for name in _LISTED}
    return Said({**plain, **lists, "revision": str(stored.revision)}, tuple(document["days"]))


def _document(said: Said) -> dict[str, Any]:
    """The document that the fields mean, unchecked; without a time zone it follows that of each job."""
    plain = {name: said.fields[name] for name in _PLAIN if said.fields[name]}
    lists = {name: split(said.fields[name]) for name in _LISTED}
    return {"timezone": None, **plain, **lists, "days": list(said.taken)}


def _known(blackout_id: str) -> str:
    return BlackoutPath.model_validate({"blackout_id": blackout_id}).blackout_id
