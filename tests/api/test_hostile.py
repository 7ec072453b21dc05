"""The decoder: what it accepts, what it refuses, and that a refusal needs neither stack nor memory."""

import io
import json
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.api.hostile import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_KEY_LENGTH,
    MAX_KEYS,
    MAX_VALUES,
    Malformed,
    TooLarge,
    WrongType,
    check_content_type,
    decode,
    drain,
    read_body,
    refuse_unclean,
)

MEGABYTES_10 = 10 * 1024 * 1024


class Drip(io.RawIOBase):
    """A stream that never says more than a few bytes at a time."""

    def __init__(self, size: int, step: int = 1000) -> None:
        self._left = size
        self._step = step
        self.reads = 0

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        given_out = min(self._step, self._left, size if size >= 0 else self._left)
        self._left -= given_out
        return b"x" * given_out


def code_of(body: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        decode(body)
    return refused.value.code


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def many_keys(count: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % number for number in range(count)) + b"}"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a" : [1, 2.5, true, null, "x"]} ', {"a": [1, 2.5, True, None, "x"]}),
        (b'{"a":9223372036854775807}', {"a": MAX_INTEGER}),
        (b'{"a":-9223372036854775808}', {"a": -MAX_INTEGER - 1}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"größe":"\U0001f600"}'.encode(), {"größe": "\U0001f600"}),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        (b'{"a":"\\t\\n"}', {"a": "\t\n"}),
        (b'{"a":{"b":1},"c":{"b":2}}', {"a": {"b": 1}, "c": {"b": 2}}),
    ],
)
def test_decode_accepts(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "MALFORMED_JSON"),
        (b"}", "MALFORMED_JSON"),
        (b"   ", "MALFORMED_JSON"),
        (b'{"a":1}x', "MALFORMED_JSON"),
        (b'{"a":1}{"b":2}', "MALFORMED_JSON"),
        (b'{"a":1,}', "MALFORMED_JSON"),
        (b"{'a':1}", "MALFORMED_JSON"),
        (b"{a:1}", "MALFORMED_JSON"),
        (b'{"a":01}', "MALFORMED_JSON"),
        (b'{"a":0x1}', "MALFORMED_JSON"),
        (b'{"a":.5}', "MALFORMED_JSON"),
        (b'{"a":tru}', "MALFORMED_JSON"),
        (b"// hi\n{}", "MALFORMED_JSON"),
        (b'{"a":"x\ny"}', "MALFORMED_JSON"),
        (b'{"a":"x\x00y"}', "MALFORMED_JSON"),
        (b'{"a":"\\x"}', "MALFORMED_JSON"),
        (b"\xef\xbb\xbf{}", "MALFORMED_JSON"),
        (b"<job/>", "MALFORMED_JSON"),
        (b"a=1&b=2", "MALFORMED_JSON"),
        (b'{"a":"\xff"}', "INVALID_ENCODING"),
        (b'{"a":"\xed\xa0\x80"}', "INVALID_ENCODING"),
        ('{"a":1}'.encode("utf-16"), "INVALID_ENCODING"),
        (b"[]", "BODY_NOT_OBJECT"),
        (b"null", "BODY_NOT_OBJECT"),
        (b'"x"', "BODY_NOT_OBJECT"),
        (b"true", "BODY_NOT_OBJECT"),
        (b"3", "BODY_NOT_OBJECT"),
        (b'{"a":NaN}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":Infinity}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":-Infinity}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":1e400}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":-1e400}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":9223372036854775808}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":-9223372036854775809}', "NUMBER_OUT_OF_RANGE"),
        (b'{"a":' + b"9" * 5000 + b"}", "NUMBER_OUT_OF_RANGE"),
        (b'{"a":1.' + b"1" * 5000 + b"}", "NUMBER_OUT_OF_RANGE"),
        (b'{"a":1,"a":2}', "DUPLICATE_KEY"),
        (b'{"b":{"a":1,"\\u0061":2}}', "DUPLICATE_KEY"),
        (b'{"a":"\\u0000"}', "INVALID_CHARACTER"),
        (b'{"\\u0000":1}', "INVALID_CHARACTER"),
        (b'{"a":[{"b":"x\\u0000"}]}', "INVALID_CHARACTER"),
        (b'{"a":"\\ud800"}', "INVALID_CHARACTER"),
        (b'{"a":"\\udc00"}', "INVALID_CHARACTER"),
        (b'{"\\ud800":1}', "INVALID_CHARACTER"),
        (nested(MAX_DEPTH + 1), "BODY_TOO_DEEP"),
        (nested(150), "BODY_TOO_DEEP"),
        (nested(20_000), "BODY_TOO_DEEP"),
        (b"[" * MAX_VALUES, "BODY_TOO_DEEP"),
        (many_keys(MAX_KEYS + 1), "BODY_TOO_COMPLEX"),
        (b'{"a":' + many_keys(MAX_KEYS + 1) + b"}", "BODY_TOO_COMPLEX"),
        (b'{"' + b"k" * (MAX_KEY_LENGTH + 1) + b'":1}', "BODY_TOO_COMPLEX"),
        (b"[" * MEGABYTES_10, "BODY_TOO_COMPLEX"),
        (b'{"a":[' + b"1," * MAX_VALUES + b"1]}", "BODY_TOO_COMPLEX"),
    ],
)
def test_decode_refuses(body: bytes, code: str) -> None:
    assert code_of(body) == code


def test_decode_counts_containers_as_depth() -> None:
    assert decode(nested(MAX_DEPTH))
    assert decode(b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}")
    assert code_of(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}") == "BODY_TOO_DEEP"


def test_decode_takes_as_many_keys_as_allowed() -> None:
    assert len(decode(many_keys(MAX_KEYS))) == MAX_KEYS
    assert decode(b'{"' + b"k" * MAX_KEY_LENGTH + b'":1}')


def test_decode_needs_no_stack() -> None:
    limit = sys.getrecursionlimit()

    def at_the_edge(left: int) -> str:
        return code_of(b"[" * MAX_VALUES) if left == 0 else at_the_edge(left - 1)

    assert at_the_edge(limit - 200) == "BODY_TOO_DEEP"


def test_decode_names_the_place() -> None:
    with pytest.raises(Malformed, match="line 2 column"):
        decode(b'{"a":1,\n"b": tru}')


def test_decode_echoes_little() -> None:
    key = "k" * 190
    with pytest.raises(Malformed) as refused:
        decode(f'{{"{key}":1,"{key}":2}}'.encode())
    assert len(refused.value.message) < 130


def test_decode_of_bulk_takes_little_memory() -> None:
    body = b'{"a":[' + b"{}," * (MEGABYTES_10 // 3) + b"1]}"
    tracemalloc.start()
    try:
        assert code_of(body) == "BODY_TOO_COMPLEX"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=200),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_decode_reads_what_json_writes(value: Any, ascii_only: bool) -> None:
    body = json.dumps({"value": value}, ensure_ascii=ascii_only).encode()
    assert decode(body) == {"value": value}


@given(st.binary(max_size=200))
def test_decode_never_fails_otherwise(body: bytes) -> None:
    try:
        assert isinstance(decode(body), dict)
    except Malformed as refused:
        assert refused.message


def test_read_body_takes_all_up_to_the_limit() -> None:
    assert read_body(Drip(5000), announced=5000, limit=5000) == b"x" * 5000


def test_read_body_takes_an_unannounced_body() -> None:
    assert read_body(Drip(4999), announced=None, limit=5000) == b"x" * 4999


def test_read_body_refuses_what_announces_too_much_unread() -> None:
    stream = Drip(6000)
    with pytest.raises(TooLarge):
        read_body(stream, announced=6000, limit=5000)
    assert stream.reads == 0


def test_read_body_stops_at_the_limit() -> None:
    stream = Drip(10**9)
    with pytest.raises(TooLarge, match="5000 bytes"):
        read_body(stream, announced=None, limit=5000)
    assert stream.reads <= 6


def test_drain_reads_to_the_end() -> None:
    stream = Drip(300_000, step=65_536)
    assert drain(stream)
    assert stream.read(1) == b""


def test_drain_gives_up_on_a_stream_without_end() -> None:
    assert not drain(Drip(10**12, step=65_536))


@pytest.mark.parametrize(
    "kind", ["application/json", "application/merge-patch+json", "application/vnd.x.v1+json"]
)
def test_content_type_of_json_passes(kind: str) -> None:
    check_content_type(kind, None)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "us-ascii", '"utf-8"'])
def test_content_type_in_utf8_passes(charset: str) -> None:
    check_content_type("application/json", charset)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
    ],
)
def test_content_type_of_anything_else_is_refused(kind: str) -> None:
    with pytest.raises(WrongType, match="application/json"):
        check_content_type(kind, None)


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "x" * 500])
def test_content_type_in_another_charset_is_refused(charset: str) -> None:
    with pytest.raises(WrongType) as refused:
        check_content_type("application/json", charset)
    assert len(refused.value.message) < 120


@pytest.mark.parametrize("text", ["", "plain", "größe \U0001f600"])
def test_clean_text_passes(text: str) -> None:
    refuse_unclean("a name", text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_unclean_text_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="a name"):
        refuse_unclean("a name", text)
