"""One layer: keys are known, texts converted, secrets in files noticed, and every value knows its origin."""

from pathlib import Path
from typing import Any

import pytest

from cronzimus.settings.files import Source
from cronzimus.settings.layers import Given, Leaf, layer, of_file, of_mapping
from cronzimus.settings.report import Report


def given(path: str, value: Any, *, literal: bool = False) -> Given:
    return Given(tuple(path.split(".")), value, "here", literal=literal)


def built(*ones: Given, **variables: str) -> tuple[dict[str, Any], list[str]]:
    report = Report()
    result = layer(ones, variables, report)
    return result, [fault.message for fault in report.faults]


def source(data: dict[str, Any]) -> Source:
    return Source(Path("f.yaml"), data, lambda path: f"f.yaml:{len(path)}")


def test_layer_nests_leaves_with_their_origin() -> None:
    result, faults = built(
        given("server.port", 1), given("api.auth.enabled", True), given("server.host", "h")
    )
    assert faults == []
    assert result == {
        "server": {"port": Leaf(1, "here"), "host": Leaf("h", "here")},
        "api": {"auth": {"enabled": Leaf(True, "here")}},
    }


def test_layer_makes_tuples_of_lists_at_any_depth() -> None:
    result, _ = built(given("api.auth.tokens", [{"name": "a", "scopes": ["read"]}]))
    assert result["api"]["auth"]["tokens"].value == ({"name": "a", "scopes": ("read",)},)


def test_layer_replaces_references_then_converts() -> None:
    result, _ = built(given("server.port", "${PORT:-80}"), given("app.name", "${NAME}"), NAME="x")
    assert (result["server"]["port"].value, result["app"]["name"].value) == (80, "x")


def test_layer_takes_literal_values_as_they_are() -> None:
    result, faults = built(given("app.name", "${NAME}", literal=True))
    assert (result["app"]["name"].value, faults) == ("${NAME}", [])


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("server.prot", 1, "server.prot: unknown key; did you mean 'port'? (from here)"),
        ("serverr.port", 1, "serverr: unknown section; did you mean 'server'? (from here)"),
        ("api.auht.enabled", 1, "api.auht: unknown key; did you mean 'auth'? (from here)"),
        ("port", 1, "port: unknown section; did you mean 'server.port'? (from here)"),
        ("server.port.low", 1, "server.port.low: server.port is a value, not a section (from here)"),
        ("server", 5, "server: expected a mapping of its keys, got 5 (from here)"),
        ("api.auth", [1], "api.auth: expected a mapping of its keys, got [1] (from here)"),
        ("server.port", "abc", "server.port: expected integer, got 'abc' (from here)"),
        (
            "api.cors_enabled",
            "maybe",
            "api.cors_enabled: expected one of true, yes, on, 1, false, no, off, 0, got",
        ),
        (
            "app.name",
            "${GONE}",
            "app.name: environment variable GONE is not set; set it or write ${GONE:-default}",
        ),
    ],
)
def test_layer_leaves_out_what_is_wrong_and_says_why(path: str, value: Any, fault: str) -> None:
    result, faults = built(given(path, value))
    assert result == {}
    assert len(faults) == 1 and faults[0].startswith(fault)


def test_layer_lists_the_sections_when_none_is_near() -> None:
    _, faults = built(given("dominos.enabled", True))
    assert faults[0].startswith("dominos: unknown section; there are environment, app, server, api, ")


def test_layer_names_an_unknown_section_once() -> None:
    _, faults = built(given("dominos.enabled", True), given("dominos.interval", 5), given("spark.x", 1))
    assert len(faults) == 2


def test_layer_does_not_show_a_value_that_may_hold_a_password() -> None:
    _, faults = built(given("database", "postgresql://u:hunter2@h/d"))
    assert "hunter2" not in faults[0]


def test_of_file_names_the_place_of_each_value_and_skips_jobs() -> None:
    report = Report()
    found = list(of_file(source({"jobs": {"a": 1}, "server": {"port": 1}, "app": None}), report))
    assert found == [Given(("server", "port"), 1, "f.yaml:2")]
    assert report.faults == []


@pytest.mark.parametrize("empty", [None, {}])
def test_of_file_does_not_overlook_an_empty_unknown_section(empty: Any) -> None:
    result, faults = built(*of_file(source({"dominos": empty, "server": empty}), Report()))
    assert result == {}
    assert len(faults) == 1 and faults[0].startswith("dominos: unknown section")


def test_of_file_keeps_null_as_a_value() -> None:
    found = list(of_file(source({"logging": {"file": None}, "api": {"auth": None}}), Report()))
    assert found == [Given(("logging", "file"), None, "f.yaml:2")]


def test_of_file_refuses_to_choose_the_environment() -> None:
    report = Report()
    assert list(of_file(source({"environment": "production"}), report)) == []
    assert report.faults[0].message.startswith("environment: is chosen by --environment or CRONZIMUS_ENV")


@pytest.mark.parametrize(
    ("data", "warned"),
    [
        ({"database": {"url": "postgresql://u:hunter2@h/d"}}, True),
        ({"database": {"url": "postgresql://u:${DB_PASSWORD}@h/d"}}, False),
        ({"database": {"url": "postgresql://u@h/d"}}, False),
        ({"message_queue": {"url": "amqp://u:hunter2@h//"}}, True),
        ({"message_queue": {"url": "amqp://u:${QUEUE_PASSWORD}@h//"}}, False),
        ({"message_queue": {"url": "database://"}}, False),
        ({"api": {"auth": {"tokens": [{"name": "a", "token": "hunter2"}]}}}, True),
        ({"api": {"auth": {"tokens": [{"name": "a", "token": "${TOKEN}"}]}}}, False),
        ({"api": {"auth": {"tokens": [{"name": "a", "sha256": "ab"}]}}}, False),
        ({"api": {"auth": {"tokens": "x"}}}, False),
    ],
)
def test_of_file_warns_of_a_secret_that_is_written_out(data: dict[str, Any], warned: bool) -> None:
    report = Report()
    list(of_file(source(data), report))
    assert bool(report.warnings) is warned
    assert "hunter2" not in "".join(report.warnings)


@pytest.mark.parametrize("values", [{"server.port": 1}, {"server": {"port": 1}}])
def test_of_mapping_takes_dotted_and_nested_names(values: dict[str, Any]) -> None:
    assert list(of_mapping(values, "override")) == [Given(("server", "port"), 1, "override", literal=True)]


def test_of_mapping_takes_none_as_not_given() -> None:
    assert list(of_mapping({"server.port": None, "api": {"auth": {"enabled": None}}}, "override")) == []
