"""The courier: carries the notifications of the outbox to their channels, each channel on a thread of its own."""

import time
from collections.abc import Callable, Mapping
from uuid import UUID

from cronzimus.common.db import Database, as_json
from cronzimus.common.logger import get_logger
from cronzimus.common.loop import Loop
from cronzimus.common.masking import mask
from cronzimus.common.sql import queries
from cronzimus.errors import NotFound
from cronzimus.models.alert import Notification
from cronzimus.models.alert_message import Message
from cronzimus.models.page import Page
from cronzimus.services.alerts.alerts import Alerts
from cronzimus.services.alerts.composer import Composer
from cronzimus.services.audit import Audit
from cronzimus.services.channel import Channel, NotDelivered
from cronzimus.utils.backoff import wait_before
from cronzimus.utils.env import did_you_mean

_SQL = queries("cronzimus.services.alerts", "notifications.sql")
_LOG = get_logger(__name__)
_LOOK_SECONDS = 1.0
_STOP_SECONDS = 2.0


class Courier:
    """Delivers at least once: a receiver that gets a message twice knows it by its id.

    1. Claim one message by moving its time ahead by the lease: longer than a delivery may take.
    2. Send it, outside of any transaction.
    3. Mark it delivered. Who dies between 2 and 3 leaves a message that is sent again when the lease is over.
    """

    def __init__(
        self,
        database: Database,
        alerts: Alerts,
        composer: Composer,
        channels: Mapping[str, Channel],
        on_error: Callable[[str, Exception], None],
        *,
        timeout_seconds: float = 10.0,
        max_attempts: int = 50,
    ) -> None:
        self._database = database
        self._alerts = alerts
        self._composer = composer
        self._audit = Audit(database)
        self.channels = dict(channels)
        self._lease = 2 * timeout_seconds + 5
        self._max_attempts = max_attempts
        self._loops = {
            name: Loop(f"alerts:{name}", self._step_of(channel), on_error=on_error)
            for name, channel in self.channels.items()
        }

    def step(self) -> float:
        """Wake the channels that have something to send; seconds until the next look."""
        if self.channels:
            for (name,) in self._database.fetch_all(_SQL["waiting"]):
                if name in self._loops:
                    self._loops[name].start()
                    self._loops[name].wake()
        self._database.execute(_SQL["abandon"], {"known": list(self.channels)})
        return _LOOK_SECONDS

    def stop(self) -> None:
        """End every channel's thread; what is being sent is given a moment, all of it together."""
        for loop in self._loops.values():
            loop.stop(timeout=0)
        deadline = time.monotonic() + _STOP_SECONDS
        for loop in self._loops.values():
            loop.stop(timeout=max(0.0, deadline - time.monotonic()))

    def deliver(self, channel: Channel) -> Notification | None:
        """Send the next message of a channel, if there is one; how it stands then."""
        params = {"channel": channel.name, "lease": self._lease}
        claimed = self._database.fetch_one(_SQL["claim"], params, row=Notification)
        if claimed is None:
            return None
        self._send(channel, claimed, final=claimed.attempts >= self._max_attempts)
        return self.get(claimed.id)

    def test(self, name: str, *, by: str) -> Notification:
        """Send a test message now, once, and say what came of it; raises NotFound CHANNEL_NOT_FOUND."""
        channel = self._channel(name)
        params = {"channel": name, "lease": self._lease}
        claimed = self._database.fetch_one(_SQL["insert_test"], params, row=Notification)
        assert claimed is not None  # nosec B101  # it was inserted just now
        self._audit.record("channel.test", f"channel/{name}", after={"notification": str(claimed.id)})
        self._send(channel, claimed, final=True)
        return self.get(claimed.id)

    def get(self, notification_id: UUID) -> Notification:
        """One notification; raises NotFound."""
        params = {"id": notification_id}
        found = self._database.fetch_one(_SQL["notification"], params, row=Notification)
        if found is None:
            raise NotFound(f"there is no notification {notification_id}", code="NOTIFICATION_NOT_FOUND")
        return found

    def list(
        self,
        *,
        channel: str | None = None,
        alert_id: UUID | None = None,
        state: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Notification]:
        """One page of the outbox, newest first."""
        filters = {"channel": channel, "alert_id": alert_id, "state": state}
        params = {**filters, "limit": limit, "offset": offset}
        rows = self._database.fetch_all(_SQL["page"], params, row=Notification)
        (total,) = self._database.fetch_one(_SQL["count"], filters) or (0,)
        return Page(tuple(rows), total, limit, offset)

    def _step_of(self, channel: Channel) -> Callable[[], float | None]:
        def step() -> float | None:
            """Send until nothing is left; then wait to be woken."""
            return 0.0 if self.deliver(channel) is not None else None

        return step

    def _channel(self, name: str) -> Channel:
        if name not in self.channels:
            hint = did_you_mean(name, self.channels) or f"; there are {', '.join(self.channels) or 'none'}"
            raise NotFound(f"there is no channel {name!r}{hint}", code="CHANNEL_NOT_FOUND")
        return self.channels[name]

    def _send(self, channel: Channel, claimed: Notification, *, final: bool) -> None:
        try:
            channel.send(self._message(claimed))
        except NotDelivered as error:
            self._not_delivered(claimed, error, final=final or error.final)
        else:
            self._database.execute(_SQL["delivered"], {"id": claimed.id})

    def _message(self, claimed: Notification) -> Message:
        if claimed.message is not None:
            return Message.of_document(claimed.message)
        alert = self._alerts.get(claimed.alert_id) if claimed.alert_id else None
        message = self._composer.compose(claimed, alert)
        params = {"id": claimed.id, "message": as_json(message.document())}
        (kept,) = self._database.fetch_one(_SQL["compose"], params) or (message.document(),)
        return Message.of_document(kept)

    def _not_delivered(self, claimed: Notification, error: NotDelivered, *, final: bool) -> None:
        said = mask(error.message)[:500]
        tell = _LOG.error if final else _LOG.warning
        tell("Channel {} did not deliver (attempt {}): {}", claimed.channel, claimed.attempts, said)
        wait = wait_before(claimed.attempts + 1, backoff=2.0, multiplier=2.0, cap=300.0, jitter=0.2)
        params = {"id": claimed.id, "attempts": claimed.attempts, "error": said, "wait": wait, "final": final}
        self._database.execute(_SQL["not_delivered"], params)
