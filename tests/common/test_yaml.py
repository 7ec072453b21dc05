"""YAML is plain data with places, and whatever could surprise is refused where it stands."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.common import yaml
from cronzimus.common.yaml import MAX_BYTES, MAX_DEPTH, MAX_NODES, load
from cronzimus.errors import ConfigError

SAMPLE = """\
server:
  port: 5000
  hosts:
    - a
    - name: b
      weight: 2
"""


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(text, name="f.yaml")
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-12", -12),
        ("+12", 12),
        ("022", 22),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("22:30", "22:30"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("! 5", "5"),
        ("a b", "a b"),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        (">\n  one\n  two\n", "one two\n"),
        ("{a: [1, {b: c}], d: }", {"a": [1, {"b": "c"}], "d": None}),
        ("on: 1\n5: 2\n", {"on": 1, "5": 2}),
        ("", None),
        ("# only a comment\n", None),
        ("---\na: 1\n...\n", {"a": 1}),
        ("%YAML 1.1\n---\na: yes\n", {"a": "yes"}),
        ("\ufeffa: ü\n", {"a": "ü"}),
    ],
)
def test_load_gives_plain_data_of_yaml_1_2(text: str, value: Any) -> None:
    data = load(text).data
    assert data == value
    assert type(data) is type(value)


def test_load_reads_nan() -> None:
    data = load(".nan").data
    assert data != data


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' appears twice (first on line 1)"),
        ("x:\n  a: 1\n  'a': 3\n", "f.yaml:3:3: key 'a' appears twice (first on line 2)"),
        ("a: &x 1\nb: 2\n", "f.yaml:1:4: anchor '&x' is not allowed"),
        ("a: &x [1]\n", "f.yaml:1:4: anchor '&x' is not allowed"),
        ("b: *x\n", "f.yaml:1:4: alias '*x' is not allowed; write the value out"),
        ("<<: {a: 1}\n", "f.yaml:1:1: merge key '<<' is not allowed"),
        (
            "a: !!python/object:os.system x\n",
            "f.yaml:1:4: tag 'tag:yaml.org,2002:python/object:os.system' is not",
        ),
        ("a: !vault x\n", "f.yaml:1:4: tag '!vault' is not allowed"),
        ("a: !x {b: 1}\n", "f.yaml:1:4: tag '!x' is not allowed"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; one file holds one"),
        ("? [a, b]\n: c\n", "f.yaml:1:3: a key must be text"),
        (": c\n", "f.yaml:1:1: a key must be text"),
        ("a:\n\t- b\n", "f.yaml:2:1: found character '\\t' that cannot start any token"),
        ("a: [1, 2\nb: 3", "f.yaml:2:2: expected ',' or ']', but got ':'"),
        ('a: "unterminated', "f.yaml:1:17: found unexpected end of stream"),
        ("a: b: c\n", "f.yaml:1:5: mapping values are not allowed here"),
        ("a: \x07\n", "f.yaml: not valid YAML: unacceptable character"),
        ("a: \ud800\n", "f.yaml:1:1: not UTF-8 text"),
        ("a: 1\nb: " + "9" * 4001, "f.yaml:2:4: a number this large is not allowed"),
        ("a: 1e999", "f.yaml:1:4: a number this large is not allowed"),
        ("[" * (MAX_DEPTH + 1), f"f.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"),
        ("[" + "1," * MAX_NODES + "]", f"f.yaml:1:{2 * MAX_NODES}: more than {MAX_NODES} values"),
        ("x" * (MAX_BYTES + 1), "f.yaml: larger than 256 kB"),
    ],
)
def test_load_refuses_with_the_place(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)


def test_load_accepts_the_depth_that_is_still_allowed() -> None:
    data = load("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    for _ in range(MAX_DEPTH - 1):
        data = data[0]
    assert data == []


def test_load_never_expands_a_bomb() -> None:
    rows = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"{n}: &{n} [{', '.join(['*' + p] * 10)}]" for p, n in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "anchor '&a' is not allowed" in refusal("\n".join(rows))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "f.yaml:1:1"),
        (("server",), "f.yaml:1:1"),
        (("server", "port"), "f.yaml:2:3"),
        (("server", "hosts"), "f.yaml:3:3"),
        (("server", "hosts", 0), "f.yaml:4:7"),
        (("server", "hosts", 1, "weight"), "f.yaml:6:7"),
        (("server", "hosts", 1, "gone"), "f.yaml:5:7"),
        (("gone", "too"), "f.yaml:1:1"),
    ],
)
def test_document_knows_the_place_of_every_path(path: tuple[str | int, ...], place: str) -> None:
    assert load(SAMPLE, name="f.yaml").where(path) == place


def test_document_gives_the_line_alone() -> None:
    assert load(SAMPLE, name="f.yaml").line(("server", "port")) == "f.yaml:2"


def test_load_names_a_file_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(SAMPLE)
    assert load(file).where(("server", "port")) == f"{file}:2:3"


def test_load_takes_another_name_for_a_file(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("a: 1")
    assert load(file, name="jobs.yaml").where() == "jobs.yaml:1:1"


def test_load_calls_a_text_a_text() -> None:
    assert load("a: 1").where() == "<text>:1:1"


def test_load_says_why_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.yaml: cannot be read: No such file"):
        load(tmp_path / "gone.yaml")


def test_load_says_where_a_file_stops_being_utf8(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError, match=r"f.yaml:2:1: not UTF-8 text"):
        load(file)


def test_load_stops_reading_a_huge_file(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(10**9)
    with pytest.raises(ConfigError, match="larger than 256 kB"):
        load(file)


@given(st.text(alphabet="ab:-[]{}&*!#\"'|>?,% \n\t0.e~<", max_size=60))
def test_load_answers_or_refuses_any_text(text: str) -> None:
    try:
        document = load(text, name="f.yaml")
    except ConfigError as error:
        assert error.message.startswith("f.yaml")
    else:
        assert document.places or document.data is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(alphabet="abc xyz", max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        max_leaves=10,
    )
)
def test_load_reads_json_back(value: Any) -> None:
    assert load(json.dumps(value)).data == value


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | TEXTS
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS.filter(bool), PLAIN, max_size=5))
def test_what_is_dumped_is_read_back(data: dict[str, Any]) -> None:
    assert yaml.load(yaml.dump(data)).data == data


@pytest.mark.parametrize(
    "text",
    [
        "22:30",
        "NO",
        "null",
        "true",
        "~",
        "1e3",
        "0x1F",
        "1_000",
        "- a",
        "a: b",
        "a #b",
        "",
        " ",
        "a ",
        "<<",
        "?",
    ]
    + [
        "'",
        '"',
        "\\",
        "\n",
        "a\nb",
        "\u2028",
        "\ufeff",
        "\x7f",
        "\x85",
        "😀",
        "&a",
        "*a",
        "!t",
        "@a",
        "%a",
        "-",
        "---",
    ],
)
def test_text_stays_text(text: str) -> None:
    assert yaml.load(yaml.dump({"key": text, "list": [text], "in": {"a": [{text or "k": text}]}})).data == {
        "key": text,
        "list": [text],
        "in": {"a": [{text or "k": text}]},
    }


def test_a_dump_reads_as_people_write() -> None:
    data = {
        "jobs": {
            "nightly": {
                "trigger": {"type": "cron", "expression": "0 2 * * *"},
                "params": {"func": "a.b:c", "args": [1, "two"]},
                "list": [{"a": 1, "b": {"c": [{"d": None}]}}],
                "empty": {},
            }
        }
    }
    assert yaml.dump(data) == (
        "jobs:\n"
        "  nightly:\n"
        '    trigger: {type: cron, expression: "0 2 * * *"}\n'
        "    params:\n"
        '      func: "a.b:c"\n'
        "      args: [1, two]\n"
        "    list:\n"
        "      - a: 1\n"
        "        b:\n"
        "          c:\n"
        "            - {d: null}\n"
        "    empty: {}\n"
    )
