"""The timeline page."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from cronzimus.models.run import Cause, RunState
from cronzimus.models.timeline import Stretch, Timeline
from cronzimus.utils.ids import new_id
from cronzimus.web.timeline import _WINDOWS, WIDTH, _lanes
from tests.web.pages import Element, read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def run(start: float, end: float | None, job: str = "a", waited: float = 0) -> Stretch:
    """A run between two minutes of the hour."""
    return Stretch(
        new_id(),
        job,
        RunState.RUNNING if end is None else RunState.SUCCESS,
        Cause.SCHEDULE,
        NOON + MINUTE * (start - waited),
        NOON + MINUTE * start,
        None if end is None else NOON + MINUTE * end,
        "w",
    )


def instants_of(part: Element) -> list[datetime]:
    """Every time it says."""
    return [datetime.fromisoformat(one.attributes["datetime"]) for one in part.all("time")]


def hour(*runs: Stretch) -> Timeline:
    return Timeline(NOON, NOON + MINUTE * 60, runs, False)


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (run(15, 30), (250, 250, 250)),
        (run(15, 30, waited=6), (150, 250, 250)),
        (run(-30, 30), (0, 0, 500)),
        (run(30, None), (500, 500, 250)),
        (run(15, 15), (250, 250, 2)),
    ],
)
def test_bars_lie_where_the_runs_were(one: Stretch, place: tuple[float, ...]) -> None:
    (lane,) = _lanes(hour(one), NOON + MINUTE * 45)
    (bar,) = lane.bars
    assert (bar.waited, bar.x, bar.width) == place and bar.x + bar.width <= WIDTH + 2


def test_runs_that_overlap_lie_below_each_other() -> None:
    (lane,) = _lanes(hour(run(0, 30), run(10, 20), run(31, 40)), NOON)
    assert [bar.row for bar in lane.bars] == [0, 1, 0] and lane.rows == 2


def test_each_job_has_its_lane() -> None:
    lanes = tuple(_lanes(hour(run(1, 2, "b"), run(1, 2, "a"), run(3, 4, "b")), NOON))
    assert [(lane.job_id, len(lane.bars)) for lane in lanes] == [("a", 1), ("b", 2)]


def test_page_links_each_run_and_names_its_outcome(web: FlaskClient, hourly: str) -> None:
    started = web.post("/api/v1/jobs/hourly/run").json
    assert started is not None
    lane = read(web, "/timeline").one("div", id="lane-hourly")
    assert (
        lane.one("a", href=f"/runs/{started['run_id']}").attributes["aria-label"] == "pending run of hourly"
    )
    assert lane.one("svg").attributes["aria-label"] == "hourly: 1 pending"
    assert "Nothing ran." in read(web, "/timeline?job_id=other").text


@pytest.mark.parametrize("window", ["15m", "1h", "6h", "24h", "7d"])
def test_page_shows_a_window_that_is_under_way(web: FlaskClient, hourly: str, window: str) -> None:
    web.post(f"/api/v1/jobs/{hourly}/run")
    page = read(web, f"/timeline?window={window}")
    assert page.one("a", **{"aria-current": "true"}).text == window
    assert len(page.all("a", **{"aria-label": "pending run of hourly"})) == 1
    since, until = instants_of(page.one("main"))[:2]
    assert since < datetime.now(UTC) < until and until - since == _WINDOWS[window].length
    ticks = instants_of(page.one("main"))[2:]
    assert ticks[0] == since and len(ticks) == _WINDOWS[window].parts
    assert all(tick.second == 0 for tick in ticks)


def test_a_window_that_is_none_is_refused(web: FlaskClient) -> None:
    answer = web.get("/timeline?window=nonsense", headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "window" in answer.text


def test_page_walks_through_time(web: FlaskClient, hourly: str) -> None:
    page = read(web, "/timeline?job_id=hourly&since=2026-03-01T00:00Z&until=2026-03-01T01:00Z")
    assert "since=2026-02-28T23" in page.one("a", rel="prev").attributes["href"]
    assert "until=2026-03-01T02" in page.one("a", rel="next").attributes["href"]
    assert page.one("body").attributes["data-topics"] == ""
