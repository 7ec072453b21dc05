"""Backfills: due instants of the past that are to run."""

from typing import Any, Final

from cronzimus.api.queries import PageQuery
from cronzimus.api.security import caller, needs
from cronzimus.api.support import V1, blueprint, house, page_of
from cronzimus.api.time_off import (
    BackfillDocument,
    BackfillPage,
    BackfillPath,
    BackfillQuery,
    BackfillView,
    EstimateView,
    ItemPage,
    request_of,
)
from cronzimus.models.backfill import Backfill, BackfillItem, Estimate

api = blueprint("backfills")
_MOST_SHOWN: Final = 200
_FIELDS: Final = (
    "id",
    "job_id",
    "job_version",
    "outcomes",
    "max_running",
    "reverse",
    "params",
    "state",
    "total",
    "done",
    "failed",
    "running",
    "left",
    "eta_seconds",
    "created_by",
    "created_at",
    "updated_at",
    "ended_at",
)


@api.get("/backfills", responses={200: BackfillPage})
@needs("read")
def list_backfills(query: BackfillQuery) -> tuple[Any, ...]:
    """List backfills, latest first."""
    return page_of(house().operating.backfills.list(**dict(query)), _view)


@api.post("/backfills", responses={201: BackfillView, 200: EstimateView})
@needs("operate")
def start_backfill(body: BackfillDocument) -> tuple[Any, ...]:
    """Run due instants of the past; with `dry_run` only say which."""
    asked, dry_run = request_of(body.root)
    if dry_run:
        return _foreseen(house().operating.backfills.foresee(asked)), 200
    backfill = house().operating.backfills.start(asked, by=caller())
    return _view(backfill), 201, {"Location": f"{V1}/backfills/{backfill.id}"}


@api.get("/backfills/<backfill_id>", responses={200: BackfillView})
@needs("read")
def get_backfill(path: BackfillPath) -> dict[str, Any]:
    """One backfill and how far it is."""
    return _view(house().operating.backfills.get(path.backfill_id))


@api.get("/backfills/<backfill_id>/items", responses={200: ItemPage})
@needs("read")
def list_items(path: BackfillPath, query: PageQuery) -> tuple[Any, ...]:
    """Its instants in the order in which they run, with their runs."""
    page = house().operating.backfills.items(path.backfill_id, limit=query.limit, offset=query.offset)
    return page_of(page, _item)


@api.post("/backfills/<backfill_id>/pause", responses={200: BackfillView})
@needs("operate")
def pause_backfill(path: BackfillPath) -> dict[str, Any]:
    """Open no more runs; those that are open go on."""
    return _view(house().operating.backfills.pause(path.backfill_id, by=caller()))


@api.post("/backfills/<backfill_id>/resume", responses={200: BackfillView})
@needs("operate")
def resume_backfill(path: BackfillPath) -> dict[str, Any]:
    """Go on opening runs."""
    return _view(house().operating.backfills.resume(path.backfill_id, by=caller()))


@api.post("/backfills/<backfill_id>/cancel", responses={200: BackfillView})
@needs("operate")
def cancel_backfill(path: BackfillPath) -> dict[str, Any]:
    """End it: what waits is cancelled, what runs is asked to stop."""
    return _view(house().operating.backfills.cancel(path.backfill_id, by=caller()))


def _view(backfill: Backfill) -> dict[str, Any]:
    shown = {name: getattr(backfill, name) for name in _FIELDS}
    return {**shown, "from": backfill.from_at, "to": backfill.to_at}


def _foreseen(estimate: Estimate) -> dict[str, Any]:
    items = [{"due_at": item.due_at, "was": item.was} for item in estimate.items[:_MOST_SHOWN]]
    return {"count": len(estimate.items), "seconds": estimate.seconds, "items": items}


def _item(item: BackfillItem) -> dict[str, Any]:
    return {"due_at": item.due_at, "was": item.was, "run_id": item.run_id, "state": item.state}
