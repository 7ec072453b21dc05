"""`cronzimus alerts`: what is wrong, who is told of it, and whether that works."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click

from cronzimus.cli.client import Client, connect
from cronzimus.cli.command import RemoteGroup, Session
from cronzimus.cli.failures import FAILED, OK, note
from cronzimus.cli.lists import page_options
from cronzimus.cli.names import JOB
from cronzimus.cli.output import Column, draw_fields, draw_table, instant, show, show_page
from cronzimus.cli.values import MOMENT, Duration, iso, moment
from cronzimus.common import yaml
from cronzimus.errors import Invalid

_ALERTS: Final = (
    Column("ID", lambda alert: alert["id"]),
    Column("STATE", lambda alert: alert["state"]),
    Column("SINCE", lambda alert: instant(alert["opened_at"])),
    Column("WHAT", lambda alert: alert["summary"]),
    Column("SEVERITY", lambda alert: alert["severity"], extra=True),
    Column("RULE", lambda alert: alert["rule_id"], extra=True),
    Column("ACK", lambda alert: alert["acknowledged_by"], extra=True),
    Column("SILENCED", lambda alert: instant(alert["silenced_until"]), extra=True),
)
_RULES: Final = (
    Column("ID", lambda row: row["id"]),
    Column("WHEN", lambda row: row["rule"]["when"]),
    Column("FOR", lambda row: row["rule"]["for"]),
    Column("CHANNELS", lambda row: ", ".join(row["rule"]["channels"]) or "all"),
    Column("OPEN", lambda row: row["open_alerts"]),
    Column("SOURCE", lambda row: row["source"], extra=True),
    Column("ENABLED", lambda row: row["rule"]["enabled"], extra=True),
    Column("SILENCED", lambda row: instant(row["silenced_until"]), extra=True),
)
_OUTBOX: Final = (
    Column("ID", lambda one: one["id"]),
    Column("CHANNEL", lambda one: one["channel"]),
    Column("KIND", lambda one: one["kind"]),
    Column("STATE", lambda one: one["state"]),
    Column("AT", lambda one: instant(one["created_at"])),
    Column("TRIES", lambda one: one["attempts"], extra=True),
    Column("ERROR", lambda one: one["error"], extra=True),
    Column("TITLE", lambda one: one["title"], extra=True),
)
_CHANNELS: Final = (
    Column("NAME", lambda channel: channel["name"]),
    Column("TYPE", lambda channel: channel["type"]),
    Column("TARGET", lambda channel: channel["target"]),
)
_INSTANTS: Final = ("due_at", "opened_at", "told_at", "acknowledged_at", "silenced_until", "resolved_at")


@click.group("alerts", cls=RemoteGroup)
def alerts() -> None:
    """See what is wrong, and say who is told of it."""


@alerts.command("list")
@click.option("--state", type=click.Choice(["open", "resolved"]), help="How they stand.")
@click.option("--job", "job_id", type=JOB, help="Of this job.")
@click.option("--rule", "rule_id", metavar="ID", help="Of this rule.")
@click.option("--severity", type=click.Choice(["info", "warning", "critical"]), help="How much they matter.")
@page_options
@click.pass_obj
def list_alerts(session: Session, /, **filters: Any) -> None:
    """List what is and was wrong, latest first."""
    show_page(session, connect(session).page("alerts", **filters), _ALERTS, "alerts")


@alerts.command("show")
@click.argument("alert_id", metavar="ID", type=click.UUID)
@click.pass_obj
def show_alert(session: Session, /, alert_id: UUID) -> None:
    """Show one alert and what was sent because of it."""
    alert = connect(session).get("alerts", alert_id)
    show(session, alert, lambda: _draw(alert))


@alerts.command("ack")
@click.argument("alert_id", metavar="ID", type=click.UUID)
@click.pass_obj
def acknowledge(session: Session, /, alert_id: UUID) -> None:
    """Say that somebody takes care of an alert: no more reminders."""
    alert = connect(session).post("alerts", alert_id, "acknowledge")
    show(
        session, alert, lambda: click.echo(f"acknowledged by {alert['acknowledged_by']}: {alert['summary']}")
    )


@alerts.command("silence")
@click.argument("name", metavar="ID")
@click.option("--for", "length", type=Duration(), help="From now on for so long.")
@click.option("--until", metavar="TIME", help=f"Until then: {MOMENT}.")
@click.option("--end", is_flag=True, help="Tell again from now on.")
@click.pass_obj
def silence(session: Session, /, name: str, length: float | None, until: str | None, end: bool) -> None:
    """Tell nobody for a while: of an alert (its UUID), or of all that a rule finds (its id)."""
    body = {"until": _until(length, until, end)}
    answer = _silenced(connect(session), name, body)
    what = f"until {instant(answer['silenced_until'])}" if body["until"] else "no more"
    show(session, answer, lambda: click.echo(f"{name} is silenced {what}"))


@alerts.command("rules")
@click.option("--source", type=click.Choice(["api", "file", "job"]), help="Where they are written.")
@click.option("--condition", help="What they wait for, such as not_started.")
@click.option("--job", "job_id", type=JOB, help="Those that name this job.")
@page_options
@click.pass_obj
def list_rules(session: Session, /, **filters: Any) -> None:
    """List the rules, wherever they are written."""
    show_page(session, connect(session).page("alert-rules", **filters), _RULES, "rules")


@alerts.command("set-rule")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def set_rule(session: Session, /, file: Path) -> None:
    """Make a rule, or replace the one of its id, from a YAML or JSON file."""
    document = yaml.load(file).data
    if not isinstance(document.get("id"), str):
        raise Invalid(f"{file}: expected a rule with an id that is text")
    client = connect(session)
    known = client.page("alert-rules", limit=None)["items"]
    exists = any(row["id"] == document["id"] for row in known)
    row = (
        client.put("alert-rules", document["id"], body=document)
        if exists
        else client.post("alert-rules", body=document)
    )
    show(session, row, lambda: click.echo(f"rule {row['id']} is at version {row['version']}"))


@alerts.command("remove-rule")
@click.argument("rule_id", metavar="ID")
@click.pass_obj
def remove_rule(session: Session, /, rule_id: str) -> None:
    """Remove a rule; what it raised is resolved."""
    connect(session).delete("alert-rules", rule_id)
    show(session, {"id": rule_id}, lambda: click.echo(f"removed {rule_id}"))


@alerts.command("channels")
@page_options
@click.pass_obj
def list_channels(session: Session, /, **paging: Any) -> None:
    """List the channels of the configuration."""
    show_page(session, connect(session).page("channels", **paging), _CHANNELS, "channels")


@alerts.command("test")
@click.argument("channel")
@click.pass_obj
def test_channel(session: Session, /, channel: str) -> int:
    """Send a test message through a channel: 0 delivered, 1 not."""
    sent = connect(session).post("channels", channel, "test")
    done = sent["state"] == "delivered"
    show(session, sent, lambda: click.echo(f"delivered to {channel}") if done else None)
    if not done:
        note(f"not delivered: {sent['error']}")
    return OK if done else FAILED


@alerts.command("outbox")
@click.option("--channel", help="To this channel.")
@click.option(
    "--state", type=click.Choice(["waiting", "delivered", "failed"]), help="How far they have come."
)
@click.option("--alert", "alert_id", metavar="ID", type=click.UUID, help="About this alert.")
@page_options
@click.pass_obj
def list_outbox(session: Session, /, **filters: Any) -> None:
    """List what was sent, what waits and what was given up."""
    show_page(session, connect(session).page("notifications", **filters), _OUTBOX, "notifications")


def _until(length: float | None, until: str | None, end: bool) -> str | None:
    if (length is not None) + (until is not None) + end != 1:
        raise Invalid("give exactly one of --for, --until and --end")
    if length is not None:
        return iso(datetime.now(UTC) + timedelta(seconds=length))
    return None if until is None else iso(moment(until, "UTC", "--until"))


def _silenced(client: Client, name: str, body: Mapping[str, Any]) -> Any:
    try:
        return client.post("alerts", UUID(name), "silence", body=body)
    except ValueError as error:
        if isinstance(error, Invalid):
            raise
    return client.post("alert-rules", name, "silence", body=body)


def _draw(alert: Mapping[str, Any]) -> None:
    draw_fields(
        [
            ("id", alert["id"]),
            ("what", alert["summary"]),
            ("state", alert["state"]),
            ("rule", f"{alert['rule_id']} ({alert['condition']}, {alert['severity']})"),
            ("job", alert["job_id"]),
            ("run", alert["run_id"]),
            ("times", alert["occurrences"]),
            *((name.removesuffix("_at"), instant(alert[name])) for name in _INSTANTS if alert[name]),
            ("by", alert["acknowledged_by"]),
            ("because", alert["resolution"]),
        ]
    )
    if alert["notifications"]:
        click.echo()
        draw_table(alert["notifications"], _OUTBOX)
