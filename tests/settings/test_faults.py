"""What the tree refuses is said in sentences: the key, what was expected, what was there, and from where."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import Settings
from cronzimus.settings.faults import explain
from cronzimus.settings.report import Report


def faults(values: dict[str, Any], **origins: str) -> list[str]:
    report = Report()
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(values)
    explain(refused.value, {key.replace("__", "."): place for key, place in origins.items()}, report)
    return [fault.message for fault in report.faults]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"server": {"port": "x"}}, "server.port: expected integer, got 'x'"),
        ({"server": {"port": True}}, "server.port: expected integer, got true"),
        ({"server": {"port": 1.5}}, "server.port: expected integer, got 1.5"),
        ({"server": {"port": 70000}}, "server.port: must be at most 65535, got 70000"),
        ({"server": {"threads": 0}}, "server.threads: must be at least 1, got 0"),
        ({"server": {"host": 5}}, "server.host: expected text, got 5"),
        ({"server": {"host": None}}, "server.host: expected text, got null"),
        (
            {"api": {"request_timeout_seconds": 0}},
            "api.request_timeout_seconds: must be greater than 0, got 0",
        ),
        ({"api": {"cors_enabled": 1}}, "api.cors_enabled: expected true or false, got 1"),
        ({"api": {"cors_origins": "x"}}, "api.cors_origins: expected list, got 'x'"),
        ({"api": {"cors_origins": ("x", 5)}}, "api.cors_origins[1]: expected text, got 5"),
        ({"api": {"docs_url": "x"}}, "api.docs_url: must match ^/, got 'x'"),
        (
            {"logging": {"format": "jsn"}},
            "logging.format: expected one of text, json, got 'jsn'; did you mean 'json'?",
        ),
        ({"logging": {"retention": ()}}, "logging.retention: expected text or integer, got ()"),
        ({"history": {"runs_per_job": "x"}}, "history.runs_per_job: expected integer, got 'x'"),
        ({"database": {"data_dir": ""}}, "database.data_dir: must not be empty, got ''"),
        ({"database": {"url": 5}}, "database.url: expected text"),
        (
            {"database": {"url": "mysql://u:hunter2@h"}},
            "database.url: unsupported scheme 'mysql'; supported: postgresql://, postgres://",
        ),
        (
            {"worker": {"worker_id": "x" * 201}},
            "worker.worker_id: must have at most 200 characters, got 'xxx",
        ),
        (
            {"scheduler": {"timezone": "UTCC"}},
            "scheduler.timezone: unknown time zone 'UTCC'; did you mean 'UTC'?",
        ),
    ],
)
def test_explain_says_what_was_expected_and_what_was_there(values: dict[str, Any], sentence: str) -> None:
    (found,) = faults(values)
    assert found.startswith(sentence)


def tokens(*items: Any) -> dict[str, Any]:
    return {"api": {"auth": {"tokens": items}}}


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ({"token": "x"}, "api.auth.tokens[0].name: is missing"),
        ({"name": "a"}, "api.auth.tokens[0]: give exactly one of sha256 and token"),
        (
            {"name": "a", "token": "x", "scope": ()},
            "api.auth.tokens[0].scope: unknown key; did you mean 'scopes'?",
        ),
        (
            {"name": "a", "token": "x", "scopes": ("rea",)},
            "api.auth.tokens[0].scopes[0]: expected one of read, operate, admin, got 'rea'",
        ),
        ({"name": "a", "token": "x", "scopes": ()}, "api.auth.tokens[0].scopes: must not be empty, got ()"),
        ({"name": "a", "token": 123456}, "api.auth.tokens[0].token: expected text"),
    ],
)
def test_explain_names_the_item_of_a_list(token: dict[str, Any], sentence: str) -> None:
    assert faults(tokens(token)) == [sentence]


def test_explain_shows_no_secret() -> None:
    text = "".join(faults({"database": {"url": ["hunter2"]}} | tokens({"name": "a", "token": ["hunter2"]})))
    assert "hunter2" not in text


def test_explain_names_the_origin_of_the_value() -> None:
    (found,) = faults({"server": {"port": -1}}, server__port="f.yaml:3")
    assert found == "server.port: must be at least 0, got -1 (from f.yaml:3)"


def test_explain_names_the_origin_of_the_list_around_an_item() -> None:
    (found,) = faults({"api": {"cors_origins": (5,)}}, api__cors_origins="f.yaml:3")
    assert found.endswith("(from f.yaml:3)")


def test_explain_names_the_origins_of_values_that_do_not_agree() -> None:
    (found,) = faults(
        {"database": {"min_connections": 5, "max_connections": 2}},
        database__min_connections="a.yaml:1",
        database__max_connections="b.yaml:2",
        database__data_dir="c.yaml:3",
    )
    assert found == "database: min_connections (5) is above max_connections (2) (from a.yaml:1, b.yaml:2)"


def test_explain_tells_everything_at_once() -> None:
    assert len(faults({"server": {"port": -1, "threads": 0}, "app": {"name": 5}})) == 3
