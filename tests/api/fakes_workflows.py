"""A workflow of two jobs for the views of the front: the first failed, the second was skipped."""

from cronzimus.errors import NotFound
from cronzimus.models.dependency import When
from cronzimus.models.run import Run, RunState
from cronzimus.models.workflow import Edge, Node, Workflow
from cronzimus.utils.ids import new_id

TRACE = "0123456789abcdef0123456789abcdef"


class FakeWorkflows:
    """Every job is alone, until a test says otherwise."""

    def __init__(self) -> None:
        self.edges: tuple[Edge, ...] = ()
        self.failed = new_id()
        self.rerun_by: list[tuple[str, str]] = []
        self.runs: tuple[Run, ...] = ()

    def connect(self) -> None:
        """From now on `mail` follows `hourly`."""
        self.edges = (Edge("hourly", "mail", When.SUCCESS),)

    def cycle(self, name: str) -> Workflow:
        if name == "0" * 31 + "1":
            raise NotFound(f"there is no workflow with the trace or run {name!r}", code="WORKFLOW_NOT_FOUND")
        nodes = (
            Node("hourly", RunState.FAILED, self.failed, note="boom"),
            Node("mail", "skipped", note="hourly ended failed"),
        )
        return Workflow(TRACE, None, nodes, self.edges)

    def around(self, job_id: str) -> Workflow:
        return Workflow(None, None, (Node(job_id, "active"), Node("mail", "paused")), self.edges)

    def rerun(self, name: str, *, by: str) -> tuple[Run, ...]:
        self.rerun_by.append((name, by))
        return self.runs
