"""Schemathesis over the API document: no 5xx, no breach of the schema, by any call it can think of."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from cronzimus.api import build_flask
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import RunState
from cronzimus.settings import Settings
from tests.api.fakes import FakeHouse, a_firing, a_run, document

DOCUMENT = "/api/v1/openapi.json"

app = build_flask(Settings())
house = FakeHouse()
app.extensions["cronzimus"] = house
contract = schemathesis.openapi.from_wsgi(DOCUMENT, app)
load_all_checks()

# A document may be well formed and still name a function nobody has: no schema can say that.
ACCEPTS_THE_VALID = CHECKS.get_one("positive_data_acceptance")


def live_in() -> None:
    """Make the house one in which something has happened."""
    house.timetable.jobs.clear()
    house.timetable.add(JobDefinition.model_validate(document("known")), by="test")
    house.runs.runs.clear()
    house.runs.put(a_run("known", state=RunState.FAILED, attempt=2, result={"rows": 1}))
    house.history.ledger = [a_firing("known")]


def prefer_known(case: Case, parameters: dict[str, Any]) -> None:
    """Ask for what is there, where any sound name would do."""
    if case.meta is not None and case.meta.generation.mode.is_positive:
        known = {"job_id": "known", "run_id": str(next(iter(house.runs.runs)))}
        parameters |= {name: value for name, value in known.items() if name in parameters}


@contract.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_call_breaks_the_contract(case: Case) -> None:
    live_in()
    prefer_known(case, case.path_parameters)
    case.call_and_validate(excluded_checks=[ACCEPTS_THE_VALID] if case.operation.body else [])


def test_every_operation_is_tried() -> None:
    tried = {
        (result.ok().method.upper(), result.ok().path)
        for result in contract.get_all_operations()
        if isinstance(result, Ok)
    }
    described = app.test_client().get(DOCUMENT).json
    assert described is not None
    every = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert len(every) > 30 and every - tried == {("GET", DOCUMENT)}
