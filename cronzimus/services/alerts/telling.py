"""Being told, whole: what the views reach, and the loops that watch and send."""

from collections.abc import Callable

from cronzimus.common.db import Database
from cronzimus.common.loop import Loop
from cronzimus.models.leader import Term
from cronzimus.services.alerts.alerts import Alerts
from cronzimus.services.alerts.composer import Composer
from cronzimus.services.alerts.courier import Courier
from cronzimus.services.alerts.dead_mans_switch import DeadMansSwitch
from cronzimus.services.alerts.declared import declared_rules
from cronzimus.services.alerts.rules import Rules
from cronzimus.services.alerts.watch import Watch
from cronzimus.services.channels.build import build_channels
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce
from cronzimus.services.explain import Explain
from cronzimus.services.history import History
from cronzimus.settings import DeadMansSwitchSettings, Settings


class Telling:
    """`rules`, `alerts` and `courier` (channels and outbox) are for the views. Raises ConfigError."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        on_error: Callable[[str, Exception], None],
        name: str,
        term: Callable[[], Term | None],
        announce: Announce,
    ) -> None:
        own = settings.alerts
        channels = build_channels(own.channels, own.timeout_seconds)
        self.rules = Rules(database, channels)
        self.alerts = Alerts(database, announce)
        self._declared = declared_rules(own.rules, self.rules)
        explain = Explain(database, Definitions(database), History(database))
        self.courier = Courier(
            database,
            self.alerts,
            Composer(database, explain, settings.app),
            channels,
            on_error,
            timeout_seconds=own.timeout_seconds,
            max_attempts=own.max_attempts,
        )
        courier_loop = Loop("notifications", self.courier.step, on_error=on_error)
        self.watch = Watch(
            database,
            name,
            channels,
            every_seconds=own.every_seconds,
            retention_days=settings.history.retention_days,
            announce=announce,
            notified=courier_loop.wake,
        )
        self._is_declared = False
        watch_loop = Loop("alerts", self._watch, on_error=on_error)
        switch = _switch(own.dead_mans_switch, database, term, on_error)
        self.loops = (watch_loop, courier_loop, *switch) if own.enabled else ()

    def stop(self) -> None:
        """Let no further message be sent."""
        self.courier.stop()

    def _watch(self) -> float:
        if not self._is_declared:
            self.rules.synchronise(self._declared)
            self._is_declared = True
        return self.watch.step()


def _switch(
    own: DeadMansSwitchSettings,
    database: Database,
    term: Callable[[], Term | None],
    on_error: Callable[[str, Exception], None],
) -> tuple[Loop, ...]:
    if own.url is None:
        return ()
    url = own.url.get_secret_value()
    switch = DeadMansSwitch(database, term, url, every_seconds=own.every_seconds, method=own.method)
    return (Loop("dead man's switch", switch.step, on_error=on_error),)
