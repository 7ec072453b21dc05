"""`cronzimus alerts`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronzimus.models.alert_rule import Rule
from tests.api.fake_alerts import FakeTelling, a_notification, an_alert
from tests.api.fakes import FakeHouse
from tests.cli.line import Line

ALERT = an_alert()


@pytest.fixture
def telling(house: FakeHouse) -> FakeTelling:
    """A rule, and an alert with its message."""
    telling = house.operating.telling
    telling.rules.add(
        Rule.model_validate({"id": "late", "when": {"not_started": {"within": "5m"}}}), by="test"
    )
    telling.alerts.rows[ALERT.id] = ALERT
    telling.courier.rows.append(a_notification())
    return telling


def test_list(line: Line, telling: FakeTelling) -> None:
    titles, row = line.out("alerts", "list", "--state", "open").splitlines()
    assert titles.split()[:4] == ["ID", "STATE", "SINCE", "WHAT"] and row.startswith(f"{ALERT.id}  open")
    assert telling.alerts.asked["state"] == "open"
    assert line.json("alerts", "list")["total"] == 1


def test_show(line: Line, telling: FakeTelling) -> None:
    text = line.out("alerts", "show", ALERT.id)
    assert "late (not_started, critical)" in text and "[Cronzimus] hourly did not start" in text


def test_ack(line: Line, telling: FakeTelling) -> None:
    assert line.out("alerts", "ack", ALERT.id) == "acknowledged by api: hourly did not start within 5 min\n"


def test_silence_of_an_alert_and_of_a_rule(line: Line, telling: FakeTelling) -> None:
    assert f"{ALERT.id} is silenced until" in line.out("alerts", "silence", ALERT.id, "--for", "2h")
    until = telling.alerts.rows[ALERT.id].silenced_until
    assert timedelta(hours=1) < until - datetime.now(UTC) <= timedelta(hours=2)
    line.out("alerts", "silence", "late", "--until", "2030-01-01T00:00")
    assert telling.rules.rows["late"].silenced_until == datetime(2030, 1, 1, tzinfo=UTC)
    assert line.out("alerts", "silence", "late", "--end") == "late is silenced no more\n"


@pytest.mark.parametrize("words", [[], ["--for", "2h", "--end"]])
def test_silence_wants_one_time(line: Line, telling: FakeTelling, words: list[str]) -> None:
    assert "exactly one of --for" in line.complaint("alerts", "silence", "late", *words, code=2)


def test_rules(line: Line, telling: FakeTelling) -> None:
    _, row = line.out("alerts", "rules").splitlines()
    assert row.startswith("late") and '"within": 300.0' in row


def test_a_rule_from_a_file_is_made_and_then_replaced(
    line: Line, telling: FakeTelling, tmp_path: Path
) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text("id: broken-jobs\nwhen: broken\nchannels: [ops]\n")
    assert line.out("alerts", "set-rule", file) == "rule broken-jobs is at version 1\n"
    file.write_text(json.dumps({"id": "broken-jobs", "when": "failure"}))
    assert line.out("alerts", "set-rule", file) == "rule broken-jobs is at version 2\n"
    assert line.out("alerts", "remove-rule", "broken-jobs") == "removed broken-jobs\n"
    file.write_text("when: broken\n")
    assert "a rule with an id" in line.complaint("alerts", "set-rule", file, code=2)


def test_channels_and_their_test(line: Line, telling: FakeTelling) -> None:
    assert line.out("alerts", "channels").splitlines()[1].split()[:2] == ["ops", "log"]
    assert line.out("alerts", "test", "ops") == "delivered to ops\n"
    telling.courier.broken = "550 no such user"
    assert line.complaint("alerts", "test", "ops", code=1).endswith("not delivered: 550 no such user\n")


def test_outbox(line: Line, telling: FakeTelling) -> None:
    assert "waiting" in line.out("alerts", "outbox", "--channel", "ops")
