"""Templates: what they may say, what they make, and everything that is refused before it runs."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.errors import Invalid
from cronzimus.models.occasion import Occasion
from cronzimus.models.templating import (
    LONGEST_TEXT,
    check_template,
    is_template,
    names_for,
    rendered,
    uses,
    without_templates,
)

OCCASION = Occasion(
    run_id="0199",
    job_id="nightly",
    due_at=datetime(2026, 3, 1, 2, tzinfo=UTC),
    data_interval_start=datetime(2026, 2, 28, 2, tzinfo=UTC),
    data_interval_end=datetime(2026, 3, 1, 2, tzinfo=UTC),
)
PARAMS = {"x": 5, "o": {"items": [1]}, "text": "{{ due_at }}", "path": "a b/c"}
NAMES = names_for(OCCASION, PARAMS, {"key": "is a secret"})
KNOWN = (*PARAMS, "key")


def made(text: str) -> str:
    """The text of a template that was accepted."""
    check_template(text, KNOWN)
    return rendered(text, NAMES, "params.f")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("{{ due_at }}", "2026-03-01T02:00:00Z"),
        ("{{ due_at | iso }}", "2026-03-01T02:00:00Z"),
        ("{{ due_at | date }} {{ due_at | time }}", "2026-03-01 02:00:00"),
        ("{{ due_at | in_zone('Europe/Berlin') | iso }}", "2026-03-01T03:00:00+01:00"),
        ("{{ due_at | in_zone('Asia/Tokyo') | format('%Y%m%d-%H') }}", "20260301-11"),
        ("{{ data_interval_start | date }}..{{ data_interval_end | date }}", "2026-02-28..2026-03-01"),
        ("{{ due_at | minus('1d') | date }} {{ due_at | plus('1h30m') | time }}", "2026-02-28 03:30:00"),
        ("{{ due_at | epoch }} {{ due_at.year }}-{{ due_at.minute }}", "1772330400 2026-0"),
        ("{{ run.id }} {{ job.id }}", "0199 nightly"),
        ("{{ params.x }} {{ params.o.items }} {{ params.x ~ 'a' }}", "5 [1] 5a"),
        ("{{ params.path | urlencode }} {{ 'A' | lower }} {{ job.id | upper }}", "a%20b%2Fc a NIGHTLY"),
        ("{{ previous_success_at or data_interval_start }}", "2026-02-28T02:00:00Z"),
        ("{{ previous_success_at | default('never') }}", "never"),
        ("{% if params.x > 3 and not previous_success_at %}many{% else %}few{% endif %}", "many"),
        ("{{ 'late' if params.x == 5 else 'soon' }}\n", "late\n"),
    ],
)
def test_templates_make_texts(text: str, result: str) -> None:
    assert made(text) == result


def test_what_a_parameter_holds_is_never_rendered() -> None:
    assert made("{{ params.text }}") == "{{ due_at }}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ params.key }}", "params.key is a secret"),
        ("{{ params.o.other }}", "other"),
        ("{{ previous_success_at | iso }}", "no such instant yet"),
        ("{{ params.x | iso }}", "wants an instant"),
        ("{{ params.path | date }}", "ValueError"),
        ("{{ params.x > 'a' }}", "TypeError"),
        ("{{ due_at | plus('9000w') | plus('3000d') }}", "ten years"),
    ],
)
def test_what_fails_at_the_run_names_the_field(text: str, words: str) -> None:
    with pytest.raises((Invalid, ValueError), match=words) as caught:
        made(text)
    if isinstance(caught.value, Invalid):
        assert caught.value.code == "TEMPLATE_FAILED" and caught.value.faults[0].field == "params.f"


def test_a_text_that_grows_too_long_is_stopped() -> None:
    names = names_for(OCCASION, {"x": "a" * LONGEST_TEXT}, {})
    with pytest.raises(Invalid, match="makes a text of more than"):
        rendered("{{ params.x }}{{ params.x }}", names, "params.f")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ 'a' * 10**9 }}", "cannot hold"),
        ("{{ 10 ** 10 ** 10 }}", "cannot hold"),
        ("{{ ''.__class__ }}", "may only follow a name"),
        ("{{ ''.__class__.__mro__ }}", "may only follow a name"),
        ("{{ due_at.__class__ }}", "there is no due_at.__class__"),
        ("{{ due_at.replace }}", "there is no due_at.replace"),
        ("{{ run.__init__.__globals__ }}", "there is no run.__init__"),
        ("{{ params.o.__class__ }}", "there is no params.o.__class__"),
        ("{{ params['x'] }}", "square brackets"),
        ("{{ range(10) }}", "a call"),
        ("{{ lipsum }}", "there is no 'lipsum'"),
        ("{{ self }}", "there is no 'self'"),
        ("{{ config }}", "there is no 'config'"),
        ("{% for x in params.o %}{% endfor %}", "a loop"),
        ("{% set a = 1 %}", "cannot hold"),
        ("{% macro a() %}{% endmacro %}", "cannot hold"),
        ("{% include 'x' %}", "cannot hold"),
        ("{% import 'os' as os %}", "cannot hold"),
        ("{{ [1, 2] }}", "cannot hold"),
        ("{{ due_at is defined }}", "a test"),
        ("{{ due_at | attr('__class__') }}", "no filter 'attr'"),
        ("{{ due_at | map('x') }}", "no filter 'map'"),
        ("{{ due_at | format('%1000000000Y') }}", "filter format"),
        ("{{ due_at | format(params.text) }}", "written out"),
        ("{{ due_at | format }}", "takes one value"),
        ("{{ due_at | date('x') }}", "takes no value"),
        ("{{ due_at | in_zone('Europe/Berlim') }}", "did you mean Europe/Berlin"),
        ("{{ due_at | in_zone(5) }}", "name of a zone"),
        ("{{ due_at | minus('soon') }}", "duration"),
        ("{{ due }}", "did you mean 'due_at'"),
        ("{{ params.y }}", "there is no params.y"),
        ("{{ run.params }}", "there is no run.params"),
        ("{{ due_at", "is no template"),
        ("{% if %}", "is no template"),
        ("{{ " + "(" * 500 + "due_at" + ")" * 500 + " }}", "nested too deeply"),
        ("{{ " + "not " * 3000 + "due_at }}", "nested too deeply"),
        ("{{ due_at }}" * 3000, "longer than"),
    ],
)
def test_everything_else_is_refused_when_it_is_saved(text: str, words: str) -> None:
    before = time.monotonic()
    with pytest.raises(ValueError, match=words):
        check_template(text, KNOWN)
    assert time.monotonic() - before < 5


@given(st.text(st.sampled_from("{}%|.~ ()'\"_ab01due_at params.x __class__"), max_size=60))
def test_nothing_anybody_writes_does_more_than_make_a_short_text(text: str) -> None:
    try:
        result = made(text)
    except (ValueError, Invalid):
        return
    assert len(result) <= LONGEST_TEXT and "<class" not in result


def test_uses_knows_the_names() -> None:
    assert uses("{{ previous_success_at or due_at }}", "due_at")
    assert not uses("{{ data_interval_end }}", "due_at") and not uses("due_at", "due_at")


@pytest.mark.parametrize(
    ("text", "there"), [("{{ x }}", True), ("{% if %}", True), ("{ }", False), ("${x}", False)]
)
def test_is_template(text: str, there: bool) -> None:
    assert is_template(text) is there


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("https://x/{{ params.region }}/{% if a %}", "https://x/0/0"),
        ({"a": ["{{ x }}", 5]}, {"a": ["0", 5]}),
        (None, None),
    ],
)
def test_without_templates(value: Any, plain: Any) -> None:
    assert without_templates(value) == plain
