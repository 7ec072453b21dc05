"""A channel has the fields of its type and no others; secrets do not show."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import AlertsSettings, ChannelSettings, redacted
from tests.fixtures.project import Project

HOOK: dict[str, Any] = {"name": "hook", "type": "webhook", "url": "https://example.org", "secret": "whsec_x"}
MAIL: dict[str, Any] = {"name": "mail", "type": "smtp", "host": "h", "sender": "a@b.org", "to": ("c@d.org",)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "hook", "type": "webhook"}, "channel 'hook' of type webhook needs url, secret"),
        ({**MAIL, "to": ()}, "of type smtp needs to"),
        ({**HOOK, "host": "h", "port": 25}, "of type webhook has no host, port"),
        ({**MAIL, "username": "u"}, "give both username and password"),
        ({"name": "A b", "type": "log"}, "String should match"),
        ({"name": "x", "type": "pigeon"}, "Input should be"),
    ],
)
def test_fields_suit_the_type(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ChannelSettings.model_validate(given)


def test_names_differ() -> None:
    with pytest.raises(ValidationError, match="more than one is called 'hook'"):
        AlertsSettings.model_validate({"channels": (HOOK, HOOK)})


@pytest.fixture
def project(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty folder, and no variable set."""
    return Project(tmp_path, monkeypatch)


def test_channels_and_rules_come_from_files_with_secrets_from_the_environment(project: Project) -> None:
    project.set(HOOK_SECRET="whsec_of-the-environment", MAIL_PASSWORD="hunter2xyz")
    project.write(
        "config/base/config.yaml",
        """
alerts:
  channels:
    - {name: hook, type: webhook, url: "https://example.org/${HOOK_SECRET}", secret: "${HOOK_SECRET}"}
    - {name: mail, type: smtp, host: h, username: u, password: "${MAIL_PASSWORD}", sender: a@b.org, to: [c@d.org]}
  rules:
    - {id: late, when: {not_started: {within: 5m, except: [paused]}}, channels: [hook]}
  dead_mans_switch: {url: "https://example.org/ping", every_seconds: 30}
""",
    )
    settings = project.load()
    assert settings.warnings == () and [one.name for one in settings.alerts.channels] == ["hook", "mail"]
    assert settings.alerts.rules[0]["when"] == {"not_started": {"within": "5m", "except": ("paused",)}}
    shown = json.dumps(redacted(settings))
    assert "hunter2xyz" not in shown and "of-the-environment" not in shown and "/ping" not in shown


def test_a_secret_written_out_in_a_file_is_warned_about(project: Project) -> None:
    project.write(
        "config/base/config.yaml",
        "alerts: {channels: [{name: h, type: webhook, url: 'https://e.org', secret: whsec_plain}]}",
    )
    (warning,) = project.load().warnings
    assert "alerts.channels holds a secret" in warning and "whsec_plain" not in warning


def test_channels_and_rules_come_from_variables(project: Project) -> None:
    project.set(
        CRONZIMUS_ALERTS__CHANNELS=json.dumps([{**MAIL, "to": ["c@d.org"], "port": 2525}]),
        CRONZIMUS_ALERTS__RULES=json.dumps([{"id": "r", "when": "failure"}]),
    )
    alerts = project.load().alerts
    assert (alerts.channels[0].port, alerts.channels[0].to, alerts.rules[0]["when"]) == (
        2525,
        ("c@d.org",),
        "failure",
    )
