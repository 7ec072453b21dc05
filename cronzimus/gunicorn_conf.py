"""gunicorn's settings for production: `gunicorn -c python:cronzimus.gunicorn_conf 'cronzimus.app:create_app()'`.

Every process builds its own house after the fork; one of them leads. What is set here can be overridden on
gunicorn's command line or in GUNICORN_CMD_ARGS.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from cronzimus.common.logger import capture
from cronzimus.common.metrics import FOLDER_VARIABLE, begin_counting_together, forget_process
from cronzimus.config import load_settings

_settings = load_settings()
_host, _port = _settings.listen

bind = f"{_host}:{_port}"
workers = _settings.server.workers
worker_class = "gthread"
# A live stream holds its thread for as long as somebody watches.
threads = _settings.server.threads + _settings.server.streams
timeout = _settings.api.request_timeout_seconds
# Longer than the drain of the house, which lets runs finish.
graceful_timeout = int(_settings.worker.drain_seconds) + 5
# The application must not be built before the fork: threads and connections do not survive it.
preload_app = False
# One socket for every gunicorn of a user would let one instance be stopped by another's command.
control_socket_disable = True
accesslog = None


# Where the processes count together; one that the operator names is kept when gunicorn ends.
_given = os.environ.get(FOLDER_VARIABLE)


def on_starting(server: Any) -> None:
    """Before the first fork: let the processes count together."""
    if _settings.telemetry.metrics_enabled:
        begin_counting_together(Path(_given or tempfile.mkdtemp(prefix="cronzimus-metrics-")))


def child_exit(server: Any, worker: Any) -> None:
    """A process has ended: what it counted stays, how it stood goes."""
    forget_process(worker.pid)


def on_exit(server: Any) -> None:
    """Leave no folder behind."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and not _given:
        shutil.rmtree(folder, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Let gunicorn's own lines go through the house's log."""
    capture("gunicorn.error")
    capture("gunicorn.access")
