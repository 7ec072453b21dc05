"""The `.env` file is read as shells and container tools write it, and a bad line is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.settings.dotenv import Variable, parse


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("A=", ""),
        ("A =  spaced out  ", "spaced out"),
        ("export A=1", "1"),
        ("  A=1", "1"),
        ("A=two words # comment", "two words"),
        ("A=with#hash", "with#hash"),
        ("A=#only a comment", ""),
        ("A= # only a comment", ""),
        ("A=postgresql://u:p@h/d?x=1&y=2", "postgresql://u:p@h/d?x=1&y=2"),
        ("A=it's", "it's"),
        ('A="two words"  # comment', "two words"),
        ('A=""', ""),
        (r'A="a\nb\t\"c\" \\"', 'a\nb\t"c" \\'),
        ("A=a=b", "a=b"),
    ],
)
def test_parse_reads_the_value(line: str, value: str) -> None:
    variables, faults = parse(line)
    assert (variables["A"].value, faults) == (value, [])


@pytest.mark.parametrize("line", ["A='a b # ${X} \"c\"'", "export A = 'a b # ${X} \"c\"' # why"])
def test_parse_takes_single_quotes_literally(line: str) -> None:
    assert parse(line)[0]["A"] == Variable('a b # ${X} "c"', 1, literal=True)


@pytest.mark.parametrize("line", ["A", "=1", "1A=1", "A-B=1", 'A="open', "A='open", 'A="x" y', "A: 1"])
def test_parse_names_the_line_it_cannot_read(line: str) -> None:
    variables, faults = parse(f"# first\n{line}\nB=2")
    assert faults == ["2: expected NAME=value, with the quotes closed"]
    assert list(variables) == ["B"]


def test_parse_remembers_lines_and_lets_the_last_one_win() -> None:
    variables, _ = parse("\ufeffA=1\n\n# comment\nB=2\nA=3\n")
    assert variables == {"A": Variable("3", 5), "B": Variable("2", 4)}


@given(st.text(max_size=80))
def test_parse_survives_any_text(text: str) -> None:
    variables, faults = parse(text)
    assert len(variables) + len(faults) <= len(text.splitlines())


@given(st.text(alphabet=st.characters(exclude_characters="'", exclude_categories=("C", "Z")), max_size=40))
def test_parse_reads_back_what_single_quotes_hold(text: str) -> None:
    assert parse(f"A='{text}'")[0]["A"].value == text
