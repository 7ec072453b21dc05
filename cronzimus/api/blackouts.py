"""Blackouts of the house: windows in which nothing of a tag, a list or the whole timetable fires."""

from typing import Any

from flask import request

from cronzimus.api.documents import named
from cronzimus.api.problems import Refusal
from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.api.time_off import BlackoutDocument, BlackoutPage, BlackoutPath, BlackoutView, blackout_of
from cronzimus.errors import Conflict
from cronzimus.services.blackouts import StoredBlackout

api = blueprint("blackouts")


@api.get("/blackouts", responses={200: BlackoutPage})
@needs("read")
def list_blackouts(query: PageQuery) -> tuple[Any, ...]:
    """List the blackouts of the house by id."""
    return page_of(house().operating.blackouts.list(limit=query.limit, offset=query.offset), _view)


@api.post("/blackouts", responses={201: BlackoutView})
@needs("admin")
def create_blackout(body: BlackoutDocument) -> tuple[Any, ...]:
    """A new blackout; it holds from the next decision on."""
    stored = house().operating.blackouts.add(blackout_of(body.root), by=caller())
    location = f"{V1}/blackouts/{stored.document['id']}"
    return _view(stored), 201, {"Location": location, **_etag(stored)}


@api.get("/blackouts/<blackout_id>", responses={200: BlackoutView})
@needs("read")
def get_blackout(path: BlackoutPath) -> tuple[Any, ...]:
    """One blackout."""
    stored = house().operating.blackouts.get(path.blackout_id)
    return _view(stored), 200, _etag(stored)


@api.put("/blackouts/<blackout_id>", responses={200: BlackoutView})
@needs("admin")
def replace_blackout(path: BlackoutPath, body: BlackoutDocument) -> tuple[Any, ...]:
    """Give a blackout another document."""
    blackouts = house().operating.blackouts
    blackout = blackout_of(named(body.root, path.blackout_id))
    expected = _expected(blackouts.get(blackout.id))
    try:
        stored = blackouts.replace(blackout, by=caller(), expected_revision=expected)
    except Conflict as conflict:
        raise _stale(conflict.message) from conflict
    return _view(stored), 200, _etag(stored)


@api.delete("/blackouts/<blackout_id>", responses={204: None})
@needs("admin")
def delete_blackout(path: BlackoutPath) -> tuple[str, int]:
    """End a blackout; what it held already starts when it was to end."""
    if request.if_match:
        _expected(house().operating.blackouts.get(path.blackout_id))
    house().operating.blackouts.remove(path.blackout_id, by=caller())
    return "", 204


def _view(stored: StoredBlackout) -> dict[str, Any]:
    stands = {name: getattr(stored, name) for name in ("revision", "created_by", "created_at", "updated_at")}
    return {**stored.document, **stands}


def _etag(stored: StoredBlackout) -> dict[str, str]:
    return {"ETag": f'"{stored.revision}"'}


def _expected(stored: StoredBlackout) -> int | None:
    if not request.if_match:
        return None
    if not request.if_match.contains_weak(str(stored.revision)):
        raise _stale("the blackout was changed; read it again before you change it")
    return stored.revision


def _stale(message: str) -> Refusal:
    return Refusal(412, message, code="PRECONDITION_FAILED")
