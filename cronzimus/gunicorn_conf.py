"""gunicorn's settings for production: `gunicorn -c python:cronzimus.gunicorn_conf 'cronzimus.app:create_app()'`.

Every process builds its own house after the fork; one of them leads. What is set here can be overridden on
gunicorn's command line or in GUNICORN_CMD_ARGS.
"""

from typing import Any

from cronzimus.common.logger import capture
from cronzimus.config import load_settings

_settings = load_settings()
_host, _port = _settings.listen

bind = f"{_host}:{_port}"
workers = _settings.server.workers
worker_class = "gthread"
threads = _settings.server.threads
timeout = _settings.api.request_timeout_seconds
# Longer than the drain of the house, which lets runs finish.
graceful_timeout = int(_settings.worker.drain_seconds) + 5
# The application must not be built before the fork: threads and connections do not survive it.
preload_app = False
# One socket for every gunicorn of a user would let one instance be stopped by another's command.
control_socket_disable = True
accesslog = None


def post_worker_init(worker: Any) -> None:
    """Let gunicorn's own lines go through the house's log."""
    capture("gunicorn.error")
    capture("gunicorn.access")
