"""Pictures of before and after."""

from typing import Any

import pytest

from cronzimus.cli.timeline import WIDTH, draw_timelines, timeline


def side(hour: int) -> dict[str, Any]:
    at = f"2026-03-01T{hour:02}:00:00+00:00"
    return {"due_at": at, "local": at, "dst": None}


def job(*firings: tuple[str, int | None, int | None]) -> dict[str, Any]:
    told = [
        {
            "move": move,
            "before": None if before is None else side(before),
            "after": None if after is None else side(after),
        }
        for move, before, after in firings
    ]
    return {"id": "nightly", "timezone": "UTC", "firings": told}


def test_marks_stand_where_the_firings_are(capsys: pytest.CaptureFixture[str]) -> None:
    draw_timelines([job(("stays", 0, 0), ("vanishes", 1, None), ("appears", None, 2), ("moves", 3, 4))])
    name, scale, before, after, _, legend = capsys.readouterr().out.splitlines()
    assert name == "nightly (UTC)" and scale.split() == ["2026-03-01", "00:00", "2026-03-01", "04:00"]
    assert (before[10], before[10 + 15], before[10 + 44]) == ("|", "x", ">")
    assert (after[10], after[10 + 30], after[10 + WIDTH - 1]) == ("|", "+", ">")
    assert len(before) == len(after) == 10 + WIDTH
    assert legend.startswith("| stays")


def test_several_in_one_place_are_one_mark() -> None:
    *_, after = timeline(job(("appears", None, 0), ("appears", None, 0), ("appears", None, 1)))
    assert "#" in after and after.count("+") == 1


def test_a_lone_firing_is_drawn() -> None:
    *_, before, after = timeline(job(("moves", 1, 1)))
    assert ">" in before and ">" in after


def test_nothing_is_drawn_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    draw_timelines([job()])
    assert capsys.readouterr().out == ""
