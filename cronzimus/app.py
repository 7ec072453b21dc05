"""Builds the house and the Flask app that hosts it; `main` serves it on this machine."""

import atexit
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from cronzimus.api.app import build_flask
from cronzimus.api.security import check_can_start
from cronzimus.common.logger import get_logger
from cronzimus.config import bootstrap_app
from cronzimus.errors import ConfigError, CronzimusError
from cronzimus.house import House
from cronzimus.orders import Orders, refused
from cronzimus.settings import Settings
from cronzimus.version import version
from cronzimus.web import register_pages

_LOG = get_logger(__name__)
_EXTENSION = "cronzimus"


def create_app(
    config_path: str | None = None,
    environment: str | None = None,
    *,
    jobs: Iterable[dict[str, Any]] = (),
    settings: Settings | None = None,
    start: bool = True,
) -> Flask:
    """The Flask app with its house: config, logger, database, scheduler and routes.

    `jobs` are further jobs made by `JobFactory.create_job`. With `start=False` nothing is opened or
    started: every route is there and answers 503 where it needs the database. Raises ConfigError.
    """
    settings = settings or bootstrap_app(config_path, environment)
    app = build_flask(settings)
    register_pages(app, settings)
    app.extensions[_EXTENSION] = House.on_paper(settings)
    if start:
        move_in(app, settings, jobs, hosted=True)
    return app


def move_in(
    app: Flask, settings: Settings, jobs: Iterable[dict[str, Any]] = (), *, hosted: bool = False
) -> House:
    """Give an app its living house and start it; it stops when the process ends. Raises ConfigError, Conflict.

    An app that is `hosted` by another server may be one of several processes with the same settings.
    """
    house = House(settings, jobs, hosted=hosted)
    try:
        check_can_start(settings, house.operating.access.anybody)
    except ConfigError:
        house.stop()
        raise
    app.extensions[_EXTENSION] = house
    app.config.from_object(house.config)
    house.scheduler.init_app(app)
    atexit.register(house.stop)
    _before_sigterm(house.drain)
    house.start()
    return house


def house_of(app: Flask) -> House:
    """The house an app hosts."""
    house: House = app.extensions[_EXTENSION]
    return house


def serve(settings: Settings, jobs: Iterable[dict[str, Any]] = ()) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. The socket answers while the house is still moving in."""
    orders = Orders()
    try:
        app = create_app(settings=settings, start=False)
        server = _bind(app, *settings.listen)
    except CronzimusError as error:
        return refused(error)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    try:
        house = move_in(app, settings, jobs)
    except CronzimusError as error:
        return refused(error)
    host, port = settings.listen[0], server.server_port
    _LOG.info("Cronzimus {} listens on http://{}:{}/ ({})", version(), host, port, settings.environment)
    number = orders.wait()
    _LOG.info("Stopping: running jobs may finish, leadership is handed over")
    house.drain()
    server.shutdown()
    house.stop()
    return 128 + number


def main() -> int:
    """`python -m cronzimus.app`: the same as `cronzimus serve`."""
    try:
        return serve(bootstrap_app())
    except ConfigError as error:
        return refused(error)


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive, and no line per request: the API logs what matters."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _bind(app: Flask, host: str, port: int) -> BaseWSGIServer:
    try:
        return make_server(host, port, app, threaded=True, request_handler=_Handler)
    except (OSError, SystemExit) as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: the address is in use or not ours", code="BIND"
        ) from error


def _before_sigterm(drain: Callable[[], None]) -> None:
    """Hand leadership over as soon as a host such as gunicorn is asked to stop, then let it stop its own way."""
    previous = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        return

    def hand_over(number: int, frame: FrameType | None) -> None:
        """Drain beside the host's own way of stopping."""
        threading.Thread(target=drain, name="drain", daemon=True).start()
        previous(number, frame)

    signal.signal(signal.SIGTERM, hand_over)


if __name__ == "__main__":
    sys.exit(main())
