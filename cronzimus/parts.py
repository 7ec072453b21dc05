"""How the parts of the heart are made from the settings."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from cronzimus.errors import ConfigError
from cronzimus.jobs.job_factory import JobFactory, definition_of
from cronzimus.models.kinds import Kind
from cronzimus.models.log_line import LogSink
from cronzimus.models.policy import CatchUp
from cronzimus.pools import Pools
from cronzimus.services.claims import Claims
from cronzimus.services.definitions import Definitions
from cronzimus.services.events import Announce
from cronzimus.services.secrets import Secrets
from cronzimus.settings import Settings
from cronzimus.utils.env import did_you_mean
from cronzimus.workers.attempt_log import Limits
from cronzimus.workers.engine import Engine
from cronzimus.workers.engines.choice import engine_for
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.worker import Worker


def modules_of(jobs: Iterable[dict[str, Any]]) -> set[str]:
    """The modules whose functions these jobs name."""
    return {definition_of(job).function.partition(":")[0] for job in jobs if "trigger" in job}


def new_factory(settings: Settings, allowed_functions: Iterable[str]) -> JobFactory:
    """The one way a job is built, with the defaults of this installation."""
    scheduler = settings.scheduler
    return JobFactory(
        allowed_functions=tuple(allowed_functions),
        allowed_commands=settings.worker.allowed_commands,
        timezone=scheduler.timezone,
        misfire_grace=float(scheduler.misfire_grace_seconds),
        max_instances=scheduler.max_instances,
        catch_up=CatchUp.LATEST if scheduler.coalesce else CatchUp.ALL,
        isolation=settings.worker.isolation,
        secrets=Secrets.of(settings),
    )


def kinds_of(settings: Settings) -> tuple[str, ...]:
    """The kinds of jobs this process takes; raises ConfigError where one is named that there is not."""
    for kind in settings.worker.kinds:
        if kind not in tuple(Kind):
            raise ConfigError(
                f"worker.kinds: there is no kind {kind!r}, there are {', '.join(Kind)}{did_you_mean(kind, Kind)}"
            )
    return settings.worker.kinds or tuple(Kind)


def new_engine(settings: Settings, database_url: str) -> Engine:
    """What carries runs to the workers; `database_url` is where the service's own PostgreSQL really is."""
    return engine_for(settings.message_queue, database_url)


def new_worker(
    settings: Settings,
    pools: Pools,
    definitions: Definitions,
    engine: InlineEngine,
    name: str,
    allowed_functions: Iterable[str],
    announce: Announce,
    logs: LogSink,
    *,
    ahead: bool,
    isolate: bool,
    left: Callable[[Sequence[UUID]], None],
) -> Worker:
    """What executes runs in this process, as the worker `name`; the last three are as `Worker` takes them."""
    return Worker(
        Claims(pools.ledger),
        definitions,
        engine,
        pools.tasks,
        settings,
        worker_id=name,
        allowed_functions=allowed_functions,
        announce=announce,
        logs=logs,
        log_limits=Limits(settings.history.log_bytes, settings.history.log_line_length),
        ahead=ahead,
        isolate=isolate,
        left=left,
    )
