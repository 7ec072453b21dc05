"""The command line in an empty project, and services for it to talk to."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cronzimus.api import build_flask
from cronzimus.settings import Settings
from tests.api.fakes import FakeHouse
from tests.cli.line import Line
from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty folder to work in, and no variable set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Project(tmp_path, monkeypatch)


@pytest.fixture
def line(project: Project) -> Line:
    """The command line, started in that folder."""
    return Line()


@pytest.fixture(scope="session")
def front() -> Flask:
    """The front as a developer gets it on this machine; each test puts its own house behind it."""
    return build_flask(Settings())


@pytest.fixture(scope="session")
def front_url(front: Flask) -> Iterator[str]:
    """Where the front answers."""
    with Listening(front) as url:
        yield url


@pytest.fixture
def house(front: Flask, front_url: str, project: Project) -> Iterator[FakeHouse]:
    """The services behind the front; the command line is pointed at it."""
    front.extensions["cronzimus"] = FakeHouse()
    project.set(CRONZIMUS_URL=front_url)
    yield front.extensions["cronzimus"]
    del front.extensions["cronzimus"]


@pytest.fixture
def serving() -> Iterator[Callable[[WSGIApplication], str]]:
    """Starts a service that answers as a test likes; its URL."""
    opened: list[Listening] = []

    def serve(app: WSGIApplication) -> str:
        opened.append(Listening(app))
        return opened[-1].__enter__()

    yield serve
    for one in opened:
        one.__exit__()


class Listening:
    """A WSGI app behind a real socket while the block lasts."""

    def __init__(self, app: WSGIApplication) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *ending: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
