"""Which engine a URL asks for."""

from importlib import import_module
from importlib.util import find_spec

from cronzimus.errors import ConfigError
from cronzimus.settings.message_queue import MessageQueueSettings, scheme_of
from cronzimus.workers.engine import Engine
from cronzimus.workers.engines.inline import InlineEngine
from cronzimus.workers.engines.procrastinate import ProcrastinateEngine


def engine_for(settings: MessageQueueSettings, database_url: str) -> Engine:
    """The engine of `message_queue.url`; it connects when it is first used. Raises ConfigError."""
    url = settings.url.get_secret_value()
    match scheme_of(url):
        case "memory":
            return InlineEngine()
        case "database":
            return ProcrastinateEngine(database_url, settings.task_queue)
        case "postgresql" | "postgres":
            return ProcrastinateEngine(url, settings.task_queue, transactional=False)
        case scheme:
            return _celery(scheme, url, settings)


def _celery(scheme: str, url: str, settings: MessageQueueSettings) -> Engine:
    needed = ("celery", "redis") if scheme.startswith("redis") else ("celery",)
    if not all(find_spec(library) for library in needed):
        raise ConfigError(
            f"message_queue.url: {scheme}:// needs the extra celery: pip install 'cronzimus[celery]'"
        )
    # Not at the top: only who has a broker has the library.
    module = import_module("cronzimus.workers.engines.celery")
    engine: Engine = module.CeleryEngine(url, settings.task_queue, settings.status_queue)
    return engine
