"""Closed by default: what starts open, what refuses to start, and what every view must declare."""

from typing import Any

import pytest
from flask import Flask

from cronzimus.api.security import (
    Caller,
    anyone,
    check_can_start,
    check_every_route,
    may_be_open,
    needs,
    scope_of,
)
from cronzimus.errors import ConfigError, DatabaseUnavailable
from cronzimus.settings import Settings

TOKENS = ({"name": "reader", "token": "read-key", "scopes": ("read",)},)
CLOSED: dict[str, Any] = {"environment": "production", "api": {"auth": {"tokens": TOKENS}}}


def settings(**sections: Any) -> Settings:
    return Settings.model_validate(sections)


@pytest.mark.parametrize(
    ("sections", "is_open"),
    [
        ({}, True),
        ({"server": {"host": "::1"}}, True),
        ({"server": {"host": "localhost"}}, True),
        ({"api": {"auth": {"enabled": False}}}, True),
        ({"api": {"auth": {"enabled": True}}}, False),
        ({"server": {"host": "0.0.0.0"}}, False),
        ({"server": {"host": "10.1.2.3"}}, False),
        ({"api": {"bind_address": "0.0.0.0:5000"}}, False),
        ({"environment": "production", "server": {"host": "127.0.0.1"}}, False),
        ({"environment": "staging"}, False),
        ({"environment": "production", "api": {"auth": {"enabled": False}}}, False),
        ({"server": {"host": "0.0.0.0"}, "api": {"auth": {"enabled": False}}}, False),
    ],
)
def test_only_a_developers_loopback_may_be_open(sections: dict[str, Any], is_open: bool) -> None:
    assert may_be_open(settings(**sections)) is is_open


@pytest.mark.parametrize("sections", [{}, CLOSED, {"server": {"host": "0.0.0.0"}, "api": CLOSED["api"]}])
def test_start_is_allowed(sections: dict[str, Any]) -> None:
    check_can_start(settings(**sections))


@pytest.mark.parametrize(
    "sections",
    [
        {"environment": "production"},
        {"environment": "staging", "server": {"host": "127.0.0.1"}},
        {"server": {"host": "0.0.0.0"}},
        {"api": {"auth": {"enabled": True}}},
        {"environment": "production", "api": {"auth": {"enabled": False}}},
    ],
)
def test_start_is_refused_rather_than_open(sections: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="set CRONZIMUS_API_TOKEN or api.auth.tokens, or bind to 127.0.0.1"):
        check_can_start(settings(**sections))


def test_somebody_in_the_database_is_enough_to_start() -> None:
    check_can_start(settings(environment="production"), lambda: True)
    with pytest.raises(ConfigError, match="cronzimus users add NAME --role admin"):
        check_can_start(settings(environment="production"), lambda: False)


def test_the_database_is_not_asked_where_a_token_is_configured() -> None:
    check_can_start(settings(**CLOSED), lambda: pytest.fail("asked"))


def test_a_database_that_is_away_starts_closed() -> None:
    def away() -> bool:
        raise DatabaseUnavailable("gone")

    check_can_start(settings(environment="production"), away)


def test_a_provider_is_somebody_who_can_come_in() -> None:
    oidc = {"issuer": "https://id.example.org"}
    check_can_start(settings(environment="production", api={"auth": {"oidc": oidc}}))


def test_a_route_without_a_scope_stops_the_start(app: Flask) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "open")
    with pytest.raises(RuntimeError, match="/forgotten"):
        check_every_route(app)


def test_a_caller_tells_its_highest_scope() -> None:
    assert [Caller("x", rank).scope for rank in range(4)] == [None, "read", "operate", "admin"]


def test_scopes_are_declared_on_views() -> None:
    assert scope_of(needs("operate")(lambda: None)) == "operate"
    assert scope_of(anyone(lambda: None)) == "anyone"
    assert scope_of(lambda: None) is None and scope_of(None) is None
