"""Reports: ids, troubles, lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.importers.report import Fate, Imported, Names, Note, line_of, shortened, told, trouble_with
from cronzimus.models.job import SLUG


def test_ids_are_given_once_and_stay_the_same() -> None:
    names = Names()
    assert [names.slug(text) for text in ("A b", "a-b", "A.B!", "x")] == ["a-b", "a-b-2", "a-b-3", "x"]
    assert Names().slug("A b") == "a-b"


@given(st.lists(st.text(max_size=100), max_size=5))
def test_any_text_makes_an_id(texts: list[str]) -> None:
    names = Names()
    found = [names.slug(text) for text in [*texts, *texts]]
    assert len(set(found)) == len(found)
    assert all(
        trouble_with({"id": one, "params": {"func": "a:b"}, "trigger": {"type": "manual"}}) is None
        for one in found
    )


def test_long_ids_have_room_for_their_number() -> None:
    names = Names()
    first, second = names.slug("a" * 90), names.slug("a" * 90)
    assert (len(first), len(second)) == (63, 63) and second.endswith("-2")
    assert SLUG.endswith("{0,62}$")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"paused": True}, None),
        ({"trigger": {"type": "cron", "expression": "61 * * * *"}}, "trigger.expression: minute"),
        ({"timezone": "Mars/Olympus"}, "unknown time zone"),
        ({"params": {}}, "params.func: is required"),
    ],
)
def test_troubles_are_told(change: dict[str, object], said: str | None) -> None:
    found = trouble_with({"id": "a", "params": {"func": "a:b"}, "trigger": {"type": "manual"}, **change})
    assert (found is None) if said is None else said in str(found)


def test_a_report_counts() -> None:
    notes = (Note("1", Fate.JOB, "", "a"), Note("2", Fate.REFUSED, "no"), Note("3", Fate.JOB, "hm", "b"))
    found = Imported((), notes)
    assert found.refused == (notes[1],)
    assert {fate: count for fate, count in found.summary.items() if count} == {"job": 2, "refused": 1}
    assert [line_of(note) for note in notes] == ["1: job a", "2: refused: no", "3: job b: hm"]


def test_remarks_are_one_sentence() -> None:
    assert told(["a", "", "b"]) == "a; b"
    assert shortened(" x ") == "x" and len(shortened("x" * 500)) == 200
