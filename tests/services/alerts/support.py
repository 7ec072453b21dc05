"""A watch without its loops: the test moves the ledger, not the clock, and looks when it likes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cronzimus.common.db import Database
from cronzimus.models.alert_message import Message
from cronzimus.models.alert_rule import Rule
from cronzimus.models.event import Event
from cronzimus.models.run import Offer, RunState
from cronzimus.services.alerts.alerts import Alerts
from cronzimus.services.alerts.composer import Composer
from cronzimus.services.alerts.courier import Courier
from cronzimus.services.alerts.rules import Rules
from cronzimus.services.alerts.watch import Watch
from cronzimus.services.channel import NotDelivered
from cronzimus.services.definitions import Definitions
from cronzimus.services.explain import Explain
from cronzimus.services.history import History
from cronzimus.settings import AppSettings
from tests.heart import Heart

APP = AppSettings(public_url="https://cron.example.org/")


@dataclass
class Wire:
    """A channel that does what the test says; it refuses while `broken` says why."""

    name: str
    broken: NotDelivered | None = None
    sent: list[Message] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    type: str = "wire"
    target: str = "a test"

    def send(self, message: Message) -> None:
        self.before()
        if self.broken is not None:
            raise self.broken
        self.sent.append(message)


class Desk:
    """Rules, alerts, watch and courier on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ops, self.mail = Wire("ops"), Wire("mail")
        channels = {"ops": self.ops, "mail": self.mail}
        self.rules = Rules(database, channels)
        self.heard: list[Event] = []
        self.found: list[tuple[str, Exception]] = []
        self.alerts = Alerts(database, self.heard.append)
        explain = Explain(database, Definitions(database), History(database))
        self.composer = Composer(database, explain, APP)
        self.watch = Watch(database, "test", channels, announce=self.heard.append)
        self.courier = Courier(database, self.alerts, self.composer, channels, self._keep, max_attempts=3)

    def rule(self, when: Any, **more: Any) -> str:
        """A rule that was there all along."""
        rule = Rule.model_validate({"id": "rule", "when": when, "channels": ["ops"], **more})
        self.rules.add(rule, by="test")
        self.move("alert_rules", "judged_since", "'-infinity'")
        return rule.id

    def move(self, table: str, column: str, to: str, where: str = "true") -> None:
        """Move a time of some rows."""
        self.database.execute(f"UPDATE cronzimus.{table} SET {column} = {to} WHERE {where}")

    def look(self, times: int = 1) -> None:
        """Look so often; what is told at the first must not be told again."""
        for _ in range(times):
            assert self.watch.look()

    def open(self) -> dict[str, str]:
        """What is wrong: subjects and summaries."""
        return self._alerts("resolved_at IS NULL", "summary")

    def over(self) -> dict[str, str]:
        """What was wrong: subjects and why they ended."""
        return self._alerts("resolved_at IS NOT NULL", "resolution")

    def told(self) -> list[str]:
        """The kinds of the notifications, in their order."""
        rows = self.database.fetch_all("SELECT kind FROM cronzimus.notifications ORDER BY seq")
        return [kind for (kind,) in rows]

    def alert_id(self) -> UUID:
        """The only alert there is."""
        ((alert_id,),) = self.database.fetch_all("SELECT id FROM cronzimus.alerts")
        return UUID(str(alert_id))

    def _alerts(self, where: str, column: str) -> dict[str, str]:
        return dict(self.database.fetch_all(f"SELECT subject, {column} FROM cronzimus.alerts WHERE {where}"))

    def _keep(self, name: str, error: Exception) -> None:
        self.found.append((name, error))


def by_hand(heart: Heart, job_id: str = "a", **more: Any) -> None:
    """A job that only runs when somebody says so."""
    heart.add(job_id, trigger={"type": "manual"}, **more)


def fired(heart: Heart) -> list[Offer]:
    """One wake-up, however long the machine took to get here: a term runs out, and is had again."""
    heart.lead()
    return heart.fire()


def started(heart: Heart, job_id: str = "a") -> Any:
    """A run of the job by hand, on a worker."""
    heart.runs.trigger(job_id, by="test", force=True)
    (claim,) = heart.claim(heart.offered[-1:])
    return claim


def ended(
    heart: Heart, state: RunState = RunState.SUCCESS, job_id: str = "a", message: str = "no rows"
) -> UUID:
    """A run of the job by hand, from its beginning to its end."""
    claim = started(heart, job_id)
    error = None if state is RunState.SUCCESS else {"type": "ValueError", "message": message}
    heart.end(claim, state, error=error)
    run_id: UUID = claim.run_id
    return run_id
