"""Rules are written by people, by files and by jobs, each in its own right."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cronzimus.errors import Conflict, Invalid, NotFound
from cronzimus.models.alert_rule import Rule
from tests.heart import Heart, definition
from tests.services.alerts.support import Desk


def rule(rule_id: str = "r", when: Any = "failure", **more: Any) -> Rule:
    """A rule as people write it."""
    return Rule.model_validate({"id": rule_id, "when": when, **more})


def actions(desk: Desk) -> list[str]:
    """What the audit knows of rules."""
    sql = "SELECT action FROM cronzimus.audit_events WHERE action LIKE 'alert_rule%%' ORDER BY id"
    return [action for (action,) in desk.database.fetch_all(sql.replace("%%", "%"))]


def test_a_rule_is_kept_as_it_was_written(desk: Desk) -> None:
    given = rule(when={"not_started": {"within": "5m", "except": ["paused"]}}, **{"for": {"tag": "etl"}})
    stored = desk.rules.add(given, by="ana")
    assert Rule.model_validate(stored.document) == given
    assert (stored.version, stored.source, stored.changed_by, stored.open_alerts) == (1, "api", "ana", 0)
    assert (
        desk.rules.list(condition="not_started").items == (stored,)
        and desk.rules.list(source="file").total == 0
    )


def test_changes_count_and_are_recorded(desk: Desk) -> None:
    desk.rules.add(rule(), by="ana")
    assert desk.rules.replace(rule(when="broken"), by="ben", expected_version=1).version == 2
    with pytest.raises(Conflict, match="version 2, not 1") as conflict:
        desk.rules.replace(rule(), by="ben", expected_version=1)
    assert conflict.value.code == "VERSION_CONFLICT"
    desk.rules.silence("r", datetime(2026, 3, 1, tzinfo=UTC), by="ben")
    desk.rules.remove("r", by="ben")
    assert actions(desk) == [
        "alert_rule.create",
        "alert_rule.replace",
        "alert_rule.silence",
        "alert_rule.delete",
    ]


def test_names_are_unique_and_known(desk: Desk) -> None:
    desk.rules.add(rule(), by="ana")
    with pytest.raises(Conflict, match="exists already"):
        desk.rules.add(rule(), by="ana")
    for verb in (
        desk.rules.get,
        lambda name: desk.rules.remove(name, by="x"),
        lambda name: desk.rules.silence(name, None, by="x"),
    ):
        with pytest.raises(NotFound, match="no alert rule 'q'"):
            verb("q")


def test_channels_must_exist(desk: Desk) -> None:
    with pytest.raises(Invalid, match="no channel is called 'opps'; did you mean 'ops'"):
        desk.rules.add(rule(channels=["opps"]), by="ana")
    with pytest.raises(Invalid, match="there are ops, mail"):
        desk.rules.add(rule(channels=["telegraph"]), by="ana")


def test_files_say_what_is_there(desk: Desk) -> None:
    desk.rules.add(rule("mine"), by="ana")
    desk.rules.synchronise([rule("a"), rule("b"), rule("mine", "broken")])
    desk.rules.synchronise([rule("b", severity="critical"), rule("c")])
    assert {(r.id, r.source, r.version) for r in desk.rules.list().items} == {
        ("b", "file", 2),
        ("c", "file", 1),
        ("mine", "api", 1),
    }


def test_declared_rules_are_changed_where_they_are_declared(heart: Heart, desk: Desk) -> None:
    desk.rules.synchronise([rule("a")])
    heart.add("job", alerts=[{"when": "failure"}])
    with pytest.raises(Conflict, match="declared in the configuration files"):
        desk.rules.replace(rule("a", "broken"), by="ana")
    with pytest.raises(Conflict, match="declared in its job's document"):
        desk.rules.remove("job.failure", by="ana")
    assert desk.rules.silence("a", datetime(2026, 3, 1, tzinfo=UTC), by="ana").silenced_until is not None


def test_the_rules_of_a_job_follow_its_document(heart: Heart, desk: Desk) -> None:
    heart.add(alerts=[{"when": "failure"}, {"name": "slow", "when": {"too_long": {"seconds": 60}}}])
    assert [r.id for r in desk.rules.list(job_id="a").items] == ["a.failure", "a.slow"]
    changed = definition(alerts=[{"name": "slow", "when": {"too_long": {"seconds": 90}}}])
    heart.timetable.replace(changed, by="ben")
    (only,) = desk.rules.list().items
    assert (only.id, only.version, only.owner_id, only.changed_by) == ("a.slow", 2, "a", "ben")
    heart.timetable.replace(definition(alerts=[]), by="ben")
    assert desk.rules.list().total == 0


def test_a_rule_that_was_off_starts_afresh(desk: Desk) -> None:
    desk.rules.add(rule(enabled=False), by="ana")
    desk.move("alert_rules", "judged_since", "'2026-01-01'")
    kept = "SELECT judged_since = '2026-01-01' FROM cronzimus.alert_rules"
    desk.rules.replace(rule(enabled=True), by="ana")
    assert desk.database.fetch_one(kept) == (False,)
    desk.move("alert_rules", "judged_since", "'2026-01-01'")
    desk.rules.replace(rule(severity="info"), by="ana")
    assert desk.database.fetch_one(kept) == (True,)
