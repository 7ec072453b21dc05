"""One verb on several things."""

import json
from typing import Any

import pytest

from cronzimus.cli.command import Session
from cronzimus.cli.several import for_each, saying
from cronzimus.errors import Conflict, Invalid, NotFound, Unavailable


def act(name: str) -> dict[str, str]:
    refusals = {
        "gone": NotFound("there is no 'gone'"),
        "odd": Invalid("odd is odd"),
        "busy": Conflict("busy", code="BUSY"),
    }
    if name in refusals:
        raise refusals[name]
    return {"id": name}


def done(*names: str, as_json: bool = False) -> int:
    return for_each(Session(as_json=as_json), names, act, name=str, say=saying("paused"))


def test_everything_is_said_as_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert done("a", "b") == 0
    assert capsys.readouterr() == ("paused a\npaused b\n", "")


@pytest.mark.parametrize(
    ("names", "code"), [(("gone", "odd"), 1), (("odd", "gone"), 2), (("a", "busy", "b"), 1)]
)
def test_a_refusal_stops_nothing_and_decides_the_end(
    names: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done(*names) == code
    printed = capsys.readouterr()
    assert printed.out.split() == [word for name in names if len(name) == 1 for word in ("paused", name)]
    assert printed.err.count("cronzimus: ") == sum(len(name) > 1 for name in names)


def test_json_holds_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert done("a", "busy", as_json=True) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "items": [{"id": "a"}],
        "errors": [{"id": "busy", "code": "BUSY", "message": "busy"}],
    }
    assert printed.err == "cronzimus: busy\n"


def test_a_service_that_is_away_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    tried: list[str] = []

    def away(name: str) -> Any:
        tried.append(name)
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        for_each(Session(), ["a", "b"], away, name=str, say=saying("x"))
    assert tried == ["a"]
