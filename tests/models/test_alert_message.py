"""The same facts as text, as HTML and as a CloudEvent."""

import json

from cronzimus.models.alert_message import Message

MESSAGE = Message(
    id="7",
    kind="raised",
    severity="critical",
    at="2026-03-01T12:00:00Z",
    title="a failed: <b>",
    facts=[["rule", "r"], ["last success", "<never>"]],
    url="https://cron.example.org/jobs/a?x=1&y=2",
    thread="9",
    source="https://cron.example.org",
    data={"subject": "job/a", "severity": "critical"},
)


def test_text_has_a_fact_a_line() -> None:
    assert MESSAGE.text.splitlines() == [
        "a failed: <b>",
        "",
        "rule:         r",
        "last success: <never>",
        "",
        "https://cron.example.org/jobs/a?x=1&y=2",
    ]


def test_html_escapes_what_others_wrote() -> None:
    assert "a failed: &lt;b&gt;" in MESSAGE.html and "&lt;never&gt;" in MESSAGE.html
    assert 'href="https://cron.example.org/jobs/a?x=1&amp;y=2"' in MESSAGE.html


def test_cloud_event_has_the_envelope() -> None:
    event = MESSAGE.cloud_event
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": "7",
        "source": "https://cron.example.org",
        "type": "cronzimus.alert.raised",
        "subject": "job/a",
        "time": "2026-03-01T12:00:00Z",
    }
    assert event["data"]["facts"] == {"rule": "r", "last success": "<never>"}


def test_the_outbox_gives_back_what_was_put_in() -> None:
    assert Message.of_document(json.loads(json.dumps(MESSAGE.document()))) == MESSAGE
