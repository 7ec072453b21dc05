"""The limits of a session, by name."""

from cronzimus.common.guards import session_guards


def test_limits_are_in_milliseconds() -> None:
    guards = session_guards(1.5)
    assert guards["statement_timeout"] == "1500" and guards["idle_in_transaction_session_timeout"] == "3000"


def test_without_a_limit_only_the_zone_is_set() -> None:
    assert session_guards(None) == {"TimeZone": "UTC"}


def test_more_is_added() -> None:
    assert session_guards(None, {"synchronous_commit": "off"})["synchronous_commit"] == "off"


def test_what_the_url_names_is_left_alone() -> None:
    guards = session_guards(1.5, given="-c timezone=Europe/Berlin -c statement_timeout=9000")
    assert {"TimeZone", "statement_timeout"}.isdisjoint(guards) and guards["lock_timeout"] == "2000"
