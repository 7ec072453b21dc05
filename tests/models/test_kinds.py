"""Kinds: what each needs, who carries it out, and how one run overrides it."""

import importlib

import pytest

from cronzimus.models.kinds import CONTROLLERS, PARAMS, Kind, call_of, function_of, override_params


def test_every_kind_has_parameters_and_somebody_who_does_it() -> None:
    assert set(PARAMS) == set(Kind) and set(CONTROLLERS) == set(Kind) - {Kind.FUNCTION}


@pytest.mark.parametrize("path", CONTROLLERS.values())
def test_controller_functions_exist(path: str) -> None:
    module, _, name = path.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_function_kind_is_its_own_function() -> None:
    assert function_of(Kind.FUNCTION, {"func": "m:f"}) == "m:f"
    assert call_of(Kind.FUNCTION, {"func": "m:f", "args": [1], "kwargs": {"b": 2}}) == ([1], {"b": 2})


def test_other_kinds_call_their_controller_with_their_parameters() -> None:
    assert function_of(Kind.SQL, {"statement": "SELECT 1"}) == CONTROLLERS[Kind.SQL]
    assert call_of(Kind.SQL, {"statement": "SELECT 1"}) == ([], {"statement": "SELECT 1"})


def test_override_of_a_function_names_keyword_arguments() -> None:
    params = {"func": "m:f", "kwargs": {"a": 1, "b": 2}}
    assert override_params(Kind.FUNCTION, params, {"b": 3}) == {"func": "m:f", "kwargs": {"a": 1, "b": 3}}
    assert params["kwargs"] == {"a": 1, "b": 2}


def test_override_of_other_kinds_names_their_fields() -> None:
    assert override_params(Kind.SQL, {"statement": "a"}, {"statement": "b"}) == {"statement": "b"}


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_override_is_the_definition(nothing: None) -> None:
    params = {"statement": "a"}
    assert override_params(Kind.SQL, params, nothing) is params
