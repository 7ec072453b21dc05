"""A message to send."""

from cronzimus.models.alert_message import Message

MESSAGE = Message(
    id="01a1f000-0000-7000-8000-000000000001",
    kind="raised",
    severity="warning",
    at="2026-03-01T12:00:00Z",
    title="[Cronzimus] nightly\nfailed: é",
    facts=[["job", "nightly"]],
    url=None,
    thread="01a1f000-0000-7000-8000-000000000002",
    source="urn:cronzimus",
    data={"subject": "job/nightly"},
)
