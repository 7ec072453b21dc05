"""Pickles as data: what they say is told, what they would do is not done."""

import datetime
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.importers.pickles import LARGEST, Name, Record, Refused, read_pickle

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    | st.tuples(inner)
    | st.tuples(inner, inner, inner, inner),
    max_leaves=15,
)


@given(PLAIN, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_plain_data_is_what_it_was(data: Any, protocol: int) -> None:
    allowed = {"_codecs.encode", "__builtin__.bytes"}
    read = read_pickle(pickle.dumps(data, protocol), allowed)
    if "Record(" not in repr(read):
        assert read == data


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_protocol_is_read(protocol: int) -> None:
    data = {"a": [1, 2.5, "ü", None, True, (1,), (), {}], "b": {"c": -(10**30)}}
    assert read_pickle(pickle.dumps(data, protocol), ()) == data


def test_sets_are_read() -> None:
    assert read_pickle(pickle.dumps({1, 2}, 4), ()) == {1, 2}
    assert read_pickle(pickle.dumps(frozenset([1]), 4), ()) == frozenset([1])


def test_a_known_class_becomes_a_record() -> None:
    found = read_pickle(pickle.dumps(datetime.timedelta(1, 2, 3)), {"datetime.timedelta"})
    assert found == Record(Name("datetime", "timedelta"), (1, 2, 3))


class Evil:
    """What a tampered store would hold."""

    def __init__(self, call: Any, *args: Any) -> None:
        self._call, self._args = call, args

    def __reduce__(self) -> Any:
        return self._call, self._args


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_call_is_refused_and_not_made(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "owned"
    for call in (os.system, eval, exec):
        data = pickle.dumps({"trigger": Evil(call, f"open({str(marker)!r}, 'w')")}, protocol)
        with pytest.raises(Refused, match="it names .*, which is nothing a schedule is made of"):
            read_pickle(data, {"datetime.datetime"})
    assert not marker.exists()


def test_getattr_leads_nowhere_else() -> None:
    data = b"cbuiltins\ngetattr\n(cdatetime\ndatetime\nS'__class__'\ntR."
    with pytest.raises(Refused, match=r"datetime\.datetime\.__class__"):
        read_pickle(data, {"datetime.datetime"})
    with pytest.raises(Refused, match="a part of something it did not name"):
        read_pickle(b"cbuiltins\ngetattr\n(S'x'\nS'y'\ntR.", ())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is damaged"),
        (b"garbage", "it is damaged"),
        (b"\x80\x05", "it is damaged"),
        (b"\x80\x05.", "it takes more values than it has"),
        (b"\x80\x05Nb.", "it fills something that is no container"),
        (b"\x80\x05K\x01K\x02\x85R.", "it calls something that is no class it named"),
        (b"\x80\x05]e.", "it closes a group that was not opened"),
        (b"\x80\x05h\x05.", "it is damaged"),
        (b"\x80\x05Pid\n.", "it uses PERSID"),
        (b"\x80\x02\x82\x01.", "it uses EXT1"),
        (b"(icollections\nOrderedDict\n.", "it uses INST"),
        (b"\x80\x05" + b"N0" * 60_000 + b"N.", "more than 100000 steps"),
        (b"x" * (LARGEST + 1), "larger than 256 KiB"),
    ],
)
def test_what_is_odd_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_pickle(data, ())


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes) -> None:
    try:
        read_pickle(data, ())
    except Refused:
        pass
