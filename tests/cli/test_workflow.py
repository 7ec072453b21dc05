"""`cronzimus workflow`."""

from cronzimus.models.run import Cause
from tests.api.fakes import FakeHouse, a_run
from tests.api.fakes_workflows import TRACE
from tests.cli.line import Line


def test_show(line: Line, house: FakeHouse) -> None:
    house.operating.workflows.connect()
    said = line.out("workflow", "show", TRACE)
    assert TRACE in said and "hourly ended failed" in said
    (mail,) = (row.split() for row in said.splitlines() if row.startswith("mail"))
    assert mail[:3] == ["mail", "skipped", "hourly"]
    assert line.json("workflow", "show", TRACE)["nodes"][0]["state"] == "failed"


def test_rerun_names_what_it_started(line: Line, house: FakeHouse) -> None:
    run = a_run(cause=Cause.RETRY)
    house.operating.workflows.runs = (run,)
    assert str(run.id) in line.out("workflow", "rerun", str(run.id))
    assert house.operating.workflows.rerun_by[0][0] == str(run.id)


def test_what_can_be_neither_trace_nor_run_is_not_asked_for(line: Line, house: FakeHouse) -> None:
    assert "neither a trace nor" in line.complaint("workflow", "show", "nonsense", code=2)
