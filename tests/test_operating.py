"""What stands around the heart starts, says what changes, and stops."""

from uuid import UUID

from cronzimus.living import Living, presence_of
from cronzimus.models.event import Event, Topic
from cronzimus.models.worker import Takes
from cronzimus.operating import Operating
from cronzimus.pools import Pools
from cronzimus.services.definitions import Definitions
from cronzimus.services.verify import Verifier
from cronzimus.settings import Settings
from tests.heart import until


def test_operating_lives_and_ends(database_url: str) -> None:
    settings = Settings.model_validate({"database": {"url": database_url}})
    pools = Pools(database_url, settings.database)
    errors: list[tuple[str, Exception]] = []
    living = Living(
        settings,
        pools,
        presence_of(settings, "me", "me", fires=True, serves=True, takes=(Takes.SCHEDULER,)),
        running=lambda: [UUID(int=1), UUID(int=2)],
        on_drain=lambda: None,
        on_displaced=lambda: None,
        on_error=lambda name, error: errors.append((name, error)),
    )
    operating = Operating(
        settings,
        pools,
        Verifier(pools.service, Definitions(pools.service, lambda _: None)),
        living=living,
        term=lambda: None,
        on_error=lambda name, error: errors.append((name, error)),
    )
    watcher = operating.hub.subscribe()
    operating.start()
    assert all(loop.alive for loop in (*operating.loops, *living.loops))
    operating.announcer.announce(Event(Topic.LEADER, "me"))
    until(lambda: [worker.status for worker in operating.processes.list().items] == ["alive"])
    (here,) = operating.processes.list().items
    assert (here.id, here.roles, here.running) == ("me", ["scheduler", "api", "worker"], 2)
    operating.drain()
    until(lambda: operating.processes.get("me").status == "draining")
    assert watcher.take(1) is None
    operating.stop()
    assert operating.processes.get("me").status == "down"
    assert not any(loop.alive for loop in (*operating.loops, *living.loops))
    pools.close()
    assert errors == []
