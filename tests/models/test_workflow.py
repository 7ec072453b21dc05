"""Workflows as people look at them."""

from cronzimus.models.dependency import When
from cronzimus.models.workflow import Edge, Node, Workflow


def test_a_job_is_alone_where_nothing_depends_on_anything() -> None:
    nodes = (Node("a", "active"), Node("b", "active"))
    assert Workflow(None, None, nodes, ()).alone
    assert not Workflow(None, None, nodes, (Edge("a", "b", When.ALWAYS),)).alone
