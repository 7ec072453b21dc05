"""Levels in their order."""

from cronzimus.models.log_line import levels_from


def test_level_stands_for_itself_and_what_is_more_serious() -> None:
    assert levels_from("WARNING") == ("WARNING", "ERROR", "CRITICAL")
    assert levels_from("CRITICAL") == ("CRITICAL",)
    assert len(levels_from("TRACE")) == 7
