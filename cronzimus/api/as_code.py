"""Config as code: plan and apply wanted jobs, export the timetable, find drift, read the configuration again."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Response

from cronzimus.api.as_code_models import (
    Applied,
    ApplyBody,
    DriftView,
    ExportFormat,
    ExportQuery,
    ExportView,
    PlanBody,
    PlanView,
    ReloadView,
)
from cronzimus.api.render import drifted_view, plan_view
from cronzimus.api.security import caller, needs
from cronzimus.api.support import blueprint, house
from cronzimus.common.yaml import dump
from cronzimus.errors import ConfigError, Fault, Invalid
from cronzimus.jobs.job_factory import definition_of
from cronzimus.models.faults import code_of
from cronzimus.models.plan import Wanted

api = blueprint("config as code")

_YAML: Final = "application/yaml"
_SHAPE: Final = {"schema": ExportView.model_json_schema()}
_EXPORT: Final = {"content": {"application/json": _SHAPE, _YAML: _SHAPE}}


@api.post("/plan", responses={200: PlanView})
@needs("read")
def plan_jobs(body: PlanBody) -> dict[str, Any]:
    """Say what wanted jobs would change: which coming firings appear, vanish or move, and the load before and after."""
    plan = house().operating.planner.plan(
        wanted_jobs(body.documents),
        prune=body.prune,
        ahead=body.next,
        window=timedelta(hours=body.window_hours),
    )
    return plan_view(plan)


@api.post("/apply", responses={200: Applied})
@needs("admin")
def apply_plan(body: ApplyBody) -> dict[str, Any]:
    """Make a planned change, whole or not at all; 409 PLAN_STALE when anything is different since."""
    by = f"{caller()} ({body.revision})" if body.revision else caller()
    wanted = wanted_jobs(body.documents)
    done = house().operating.planner.apply(wanted, body.plan, by=by, prune=body.prune)
    return {"plan": body.plan, "done": done}


@api.get("/export", responses={200: _EXPORT})
@needs("read")
def export_jobs(query: ExportQuery) -> Any:
    """Every job as a document, as `plan` and jobs.yaml take them; what is a default is left out."""
    filters = {"source": query.source, "tag": query.tag}
    documents = house().operating.exporter.documents(house().factory.with_defaults, **filters)
    if query.format is ExportFormat.JSON:
        return {"jobs": documents}
    head = f"# {len(documents)} jobs of this timetable. `cronzimus plan` compares such a file with it.\n"
    return Response(head + dump({"jobs": documents}), content_type=_YAML)


@api.get("/drift", responses={200: DriftView})
@needs("read")
def find_drift() -> dict[str, Any]:
    """Where the timetable is not what code and files of the answering replica declare."""
    found = house().operating.drift.find(house().declared_now())
    return {"drifted": [drifted_view(one) for one in found], "total": len(found)}


@api.post("/config/reload", responses={200: ReloadView})
@needs("admin")
def reload_config() -> dict[str, Any]:
    """Read the files again and take up their jobs; 422 with every fault, and nothing changed, when any is wrong."""
    try:
        done = house().reload()
    except ConfigError as error:
        raise Invalid(error.message, code=error.code, faults=error.faults) from error
    return {"jobs": done.jobs, "restart_needed": list(done.restart_needed)}


def wanted_jobs(documents: list[dict[str, Any]]) -> list[Wanted]:
    """The documents as jobs; raises one Invalid with the faults of all, each under `documents.<n>`."""
    wanted: list[Wanted] = []
    faults: list[Fault] = []
    seen: dict[object, int] = {}
    for number, document in enumerate(documents):
        try:
            wanted.append(_wanted(document))
        except Invalid as error:
            faults += _placed(number, error)
            continue
        first = seen.setdefault(wanted[-1].definition.id, number)
        if first != number:
            faults.append(Fault(f"documents.{number}.id", f"is that of documents.{first} already"))
    if faults:
        raise Invalid(f"{faults[0].field}: {faults[0].message}", code=code_of(()), faults=faults)
    return wanted


def _wanted(document: Mapping[str, Any]) -> Wanted:
    given = dict(document)
    paused = given.pop("paused", None)
    if paused is not None and not isinstance(paused, bool):
        raise Invalid("paused: must be true or false", faults=[Fault("paused", "must be true or false")])
    return Wanted(definition_of(house().factory.from_document(given, may_be_over=True)), paused)


def _placed(number: int, error: Invalid) -> Iterator[Fault]:
    for fault in error.faults or (Fault("", error.message),):
        yield Fault(f"documents.{number}.{fault.field}".rstrip("."), fault.message)
