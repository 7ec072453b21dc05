"""The measurements work; what they measure is not the suite's business."""

import json
from collections.abc import Iterator

import pytest

from benchmarks import __main__ as command
from benchmarks import server as servers
from benchmarks.server import Server
from benchmarks.table import Line, show, told


@pytest.fixture
def measured(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv(servers.VARIABLE, server_url)
    with servers.server() as server:
        yield server


@pytest.mark.parametrize("name", ["throughput", "many_jobs", "rest_page", "live"])
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
