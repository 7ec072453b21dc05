"""Where the boxes and lines of a workflow stand."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.house import House
from cronzimus.models.dependency import When
from cronzimus.models.run import Run
from cronzimus.models.workflow import Edge, Node, Workflow
from cronzimus.utils.ids import new_id
from cronzimus.web.graphs import MOST_DRAWN, drawing
from tests.api.fakes import document
from tests.web.pages import press, read

PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30)


def workflow(*pairs: tuple[str, str], when: When = When.SUCCESS) -> Workflow:
    ids = sorted({job_id for pair in pairs for job_id in pair})
    edges = tuple(Edge(before, follower, when) for before, follower in pairs)
    return Workflow(None, None, tuple(Node(job_id, "waiting") for job_id in ids), edges)


@given(PAIRS)
def test_what_follows_stands_to_the_right_and_nothing_covers_anything(pairs: list[tuple[int, int]]) -> None:
    downward = {(f"j{low:02}", f"j{high:02}") for low, high in pairs if low < high}
    drawn = drawing(workflow(*downward))
    place = {box.node.job_id: (box.x, box.y) for box in drawn.boxes}
    assert len(set(place.values())) == len(place)
    assert all(place[before][0] < place[follower][0] for before, follower in downward)
    assert all(
        x + drawn.box_width < drawn.width and y + drawn.box_height < drawn.height for x, y in place.values()
    )
    assert len(drawn.lines) == len(downward) and len(drawn.rows) == len(place)


def test_a_line_goes_from_right_to_left() -> None:
    drawn = drawing(workflow(("a", "b")))
    (a, b), (line,) = drawn.boxes, drawn.lines
    assert line.path.startswith(f"M{a.x + drawn.box_width} ") and line.path.endswith(f" {b.x} {b.y + 17}")


def test_too_many_boxes_are_only_listed() -> None:
    drawn = drawing(workflow(*((f"j{number:03}", f"j{number + 1:03}") for number in range(MOST_DRAWN))))
    assert drawn.boxes == () and len(drawn.rows) == MOST_DRAWN + 1


def test_a_box_leads_to_the_run_or_to_the_job() -> None:
    run_id = new_id()
    nodes = (Node("a", "success", run_id), Node("b" * 40, "waiting"))
    a, b = drawing(Workflow(None, None, nodes, (Edge("a", "b" * 40, When.ALWAYS),))).boxes
    assert (a.href, b.href) == (f"/runs/{run_id}", f"/jobs/{'b' * 40}") and len(b.label) == 21


def test_the_table_says_how_each_must_have_ended() -> None:
    rows = drawing(workflow(("a", "b"), when=When.FAILURE)).rows
    assert [row.before for row in rows] == [(), ("a (failure)",)]


@pytest.fixture
def run(web: FlaskClient, house: House, hourly: str) -> Run:
    """A run of `hourly`, which `mail` follows."""
    follower = document("mail", trigger={"type": "manual"}, depends_on=[hourly])
    assert web.post("/api/v1/jobs", json=follower).status_code == 201
    return house.runs.trigger(hourly, by="test")


def test_pages_draw_what_depends_on_what(web: FlaskClient, run: Run) -> None:
    for path in ("/jobs/hourly", f"/runs/{run.id}"):
        graph = read(web, path).one("div", **{"class": "graph"})
        assert [one.attributes["href"] for one in graph.all("a")][1] == "/jobs/mail"
        assert len(graph.all("path")) == 1


def test_pages_of_a_job_alone_draw_nothing(web: FlaskClient, house: House, hourly: str) -> None:
    run = house.runs.trigger(hourly, by="test")
    for path in ("/jobs/hourly", f"/runs/{run.id}"):
        assert not read(web, path).all("div", **{"class": "graph"})


def test_what_went_wrong_in_a_cycle_is_tried_again_with_one_button(
    web: FlaskClient, house: House, run: Run
) -> None:
    here = f"/runs/{run.id}"
    assert not read(web, here).all("form", action=f"{here}/rerun")
    house.runs.cancel(run.id, by="test")
    press(web, here, f"{here}/rerun")
    assert "Started again: hourly" in read(web, here).one("div", id="toasts").text
    assert house.history.runs(job_id="hourly", cause="retry").total == 1
