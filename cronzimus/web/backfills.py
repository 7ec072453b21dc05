"""Backfills: all of them, and one with its instants; paused, resumed and cancelled."""

from typing import Final
from uuid import UUID

from werkzeug.wrappers import Response

from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, house
from cronzimus.api.time_off import BackfillPath, BackfillQuery
from cronzimus.models.backfill import Backfill, BackfillItem, BackfillState
from cronzimus.web.forms import check_form, done
from cronzimus.web.room import Answer, address, live, page, query_of, room

pages = room("backfills")

_OPEN: Final = (BackfillState.RUNNING, BackfillState.PAUSED)
_WAITING: Final = 10


@pages.get("/backfills")
@live
@needs("read")
def show_backfills() -> Answer:
    """Backfills, latest first."""
    query = query_of(BackfillQuery)
    return page(
        "backfills.html",
        twin=address(f"{V1}/backfills", **dict(query)),
        topics="backfill",
        query=query,
        states=tuple(BackfillState),
        open_states=_OPEN,
        found=house().operating.backfills.list(**dict(query)),
        href=lambda offset: address("/backfills", **{**dict(query), "offset": offset}),
    )


@pages.get("/backfills/<backfill_id>")
@live
@needs("read")
def show_backfill(backfill_id: str) -> Answer:
    """One backfill: how far it is, what waits, and its instants with their runs."""
    query = query_of(PageQuery)
    backfills = house().operating.backfills
    backfill = backfills.get(_known(backfill_id))
    return page(
        "backfill.html",
        twin=f"{V1}/backfills/{backfill.id}",
        topics="backfill run",
        job=backfill.job_id,
        shown=backfill,
        is_open=backfill.state in _OPEN,
        waiting=_waiting(backfill),
        found=backfills.items(backfill.id, limit=query.limit, offset=query.offset),
        href=lambda offset: address(f"/backfills/{backfill.id}", **{**dict(query), "offset": offset}),
        runs=address("/runs", job_id=backfill.job_id, cause="backfill", since=backfill.from_at),
    )


@pages.post("/backfills/<backfill_id>/pause")
@needs("operate")
def pause_backfill(backfill_id: str) -> Response:
    """Open no more runs; those that are open go on."""
    check_form()
    backfill = house().operating.backfills.pause(_known(backfill_id), by=caller())
    return done(f"The backfill of {backfill.job_id} opens no more runs", _page_of(backfill))


@pages.post("/backfills/<backfill_id>/resume")
@needs("operate")
def resume_backfill(backfill_id: str) -> Response:
    """Go on opening runs."""
    check_form()
    backfill = house().operating.backfills.resume(_known(backfill_id), by=caller())
    return done(f"The backfill of {backfill.job_id} goes on", _page_of(backfill))


@pages.post("/backfills/<backfill_id>/cancel")
@needs("operate")
def cancel_backfill(backfill_id: str) -> Response:
    """End it: what waits is cancelled, what runs is asked to stop."""
    check_form()
    backfill = house().operating.backfills.cancel(_known(backfill_id), by=caller())
    return done(f"The backfill of {backfill.job_id} is cancelled", _page_of(backfill))


def _waiting(backfill: Backfill) -> tuple[BackfillItem, ...]:
    """The next instants without a run; runs are opened in the order of the list, so they are its end."""
    if backfill.state not in _OPEN or not backfill.left:
        return ()
    backfills = house().operating.backfills
    return backfills.items(backfill.id, limit=_WAITING, offset=backfill.total - backfill.left).items


def _known(backfill_id: str) -> UUID:
    return BackfillPath.model_validate({"backfill_id": backfill_id}).backfill_id


def _page_of(backfill: Backfill) -> str:
    return f"/backfills/{backfill.id}"
