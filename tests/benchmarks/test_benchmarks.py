"""The measurements work; what they measure is not the suite's business."""

import json
from collections.abc import Iterator

import pytest

from benchmarks import __main__ as command
from benchmarks import server as servers
from benchmarks.server import Server
from benchmarks.soak import Course, courses, report, soak
from benchmarks.table import Line, show, told


@pytest.fixture
def measured(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv(servers.VARIABLE, server_url)
    with servers.server() as server:
        yield server


@pytest.mark.parametrize("name", ["throughput", "many_jobs", "rest_page", "live", "fleet"])
def test_measurement_tells_figures_of_both(measured: Server, name: str) -> None:
    for line in command.MEASUREMENTS[name](measured, quick=True):
        assert line.repeats >= 1 and line.ours and line.peer and line.target


def test_fresh_database_is_dropped_at_its_end(measured: Server) -> None:
    with measured.database(migrated=False) as url:
        assert "cz_bench_" in url
    assert "server_version=" in measured.about()


def test_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "throughput" in capsys.readouterr().err


def test_table_says_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [Line("a thing", "so many", 3, "5/s", "9/s somebody", "0.6 ×", "≥ 1 ×", met=False)]
    show(lines, "18.4", as_json=False)
    printed = capsys.readouterr().out
    assert "a thing" in printed and "NO" in printed
    show(lines, "18.4", as_json=True)
    assert json.loads(capsys.readouterr().out)["lines"][0]["met"] is False


def test_several_figures_are_told_with_their_spread() -> None:
    assert told([1.0], " s", 1) == "1.0 s"
    assert told([1000.0, 3000.0, 2000.0]) == "2,000 (1,000–3,000)"


def test_soak_tells_what_every_process_and_table_came_to(measured: Server) -> None:
    with measured.database() as url:
        found, told = soak(url, minutes=0.2, speed=0.1)
    assert told["firings"]["fired"] > 0
    assert {"serve", "worker 1", "worker 2", "runs", "firings"} <= {course.name for course in found}
    assert all(course.last > 0 for course in found if course.kind == "rss")


def test_what_grows_is_called_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    mib = 2.0**20
    samples = [
        {("serve", "rss"): (100 + n) * mib, ("w", "fds"): 20.0, ("firings", "table"): n * mib}
        for n in range(90)
    ]
    found = {course.name: course for course in courses(samples)}
    assert (found["serve"].is_flat, found["w"].is_flat) == (False, True)
    assert not report(list(found.values()), {}, 1, 72)
    printed = capsys.readouterr().out
    assert "GROWS" in printed and "by the week" in printed
    assert report([found["w"], found["firings"]], {}, 1, 72)


def test_little_growth_is_flat() -> None:
    assert Course("serve", "rss", 0, 100 * 2**20, 112 * 2**20).is_flat
    assert not Course("serve", "rss", 0, 100 * 2**20, 114 * 2**20).is_flat
