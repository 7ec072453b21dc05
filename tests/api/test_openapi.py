"""Schemathesis over the API document: no 5xx, no breach of the schema, by any call it can think of."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from cronzimus.api import build_flask
from cronzimus.models.access import Role
from cronzimus.models.alert_rule import Rule
from cronzimus.models.job import JobDefinition
from cronzimus.models.run import RunState
from cronzimus.settings import Settings
from tests.api.fake_alerts import a_notification, an_alert
from tests.api.fakes import FakeHouse, a_firing, a_run, document
from tests.api.fakes_queues import FakeQueues, FakeSlotPools
from tests.api.fakes_time_off import freeze, ours

DOCUMENT = "/api/v1/openapi.json"

app = build_flask(Settings())
house = FakeHouse()
app.extensions["cronzimus"] = house
contract = schemathesis.openapi.from_wsgi(DOCUMENT, app)
load_all_checks()

# A document may be well formed and still name a function nobody has: no schema can say that.
ACCEPTS_THE_VALID = CHECKS.get_one("positive_data_acceptance")


# What a schema cannot say of other operations: the order of two times and how far they may lie apart.
ACCEPTS_ONLY_SOME = {("GET", "/api/v1/timeline")}

# These paths are also those of jobs called `batch` and `preview`, so that Allow rightly names the methods of a job.
ALLOW_IS_EXACT = CHECKS.get_one("allow_header_conformance")
PATHS_OF_JOBS_TOO = {("POST", "/api/v1/jobs/batch"), ("POST", "/api/v1/jobs/preview")}


def not_to_be_asked(case: Case) -> list[Any]:
    """The checks that an operation cannot pass for a reason given above."""
    operation = (case.operation.method.upper(), case.operation.path)
    accepts = [ACCEPTS_THE_VALID] if case.operation.body or operation in ACCEPTS_ONLY_SOME else []
    return accepts + ([ALLOW_IS_EXACT] if operation in PATHS_OF_JOBS_TOO else [])


def live_in() -> None:
    """Make the house one in which something has happened."""
    house.timetable.jobs.clear()
    house.timetable.add(JobDefinition.model_validate(document("known")), by="test")
    house.runs.runs.clear()
    house.runs.put(a_run("known", state=RunState.FAILED, attempt=2, result={"rows": 1}))
    house.history.ledger = [a_firing("known")]
    house.operating.calendars.stored.clear()
    house.operating.calendars.add(ours(), by="test")
    house.operating.blackouts.stored.clear()
    house.operating.blackouts.add(freeze(), by="test")
    house.operating.queues, house.operating.slot_pools = FakeQueues(), FakeSlotPools()
    house.operating.backfills.stored.clear()
    house.operating.backfills.put()
    access = house.operating.access
    access.people.users.clear()
    access.people.add("ops", Role.ADMIN, by="test")
    access.tokens.tokens.clear()
    access.tokens.make("known", ["read"], by="test")
    telling = house.operating.telling
    telling.rules.rows.clear()
    telling.rules.add(Rule.model_validate({"id": "known", "when": "failure"}), by="test")
    telling.alerts.rows[an_alert().id] = an_alert()
    telling.courier.rows[:] = [a_notification()]


def prefer_known(case: Case, parameters: dict[str, Any]) -> None:
    """Ask for what is there, where any sound name would do."""
    if case.meta is not None and case.meta.generation.mode.is_positive:
        known = {"job_id": "known", "run_id": str(next(iter(house.runs.runs)))}
        known |= {"calendar_id": "ours", "blackout_id": "freeze", "queue": "etl", "pool": "db"}
        known["backfill_id"] = str(next(iter(house.operating.backfills.stored)))
        known |= {"rule_id": "known", "alert_id": str(an_alert().id), "name": "ops"}
        known |= {"token_id": str(next(iter(house.operating.access.tokens.tokens))), "worker_id": "first"}
        parameters |= {name: value for name, value in known.items() if name in parameters}


@contract.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_call_breaks_the_contract(case: Case) -> None:
    live_in()
    prefer_known(case, case.path_parameters)
    case.call_and_validate(excluded_checks=not_to_be_asked(case))


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
