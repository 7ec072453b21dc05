"""What every experiment starts from: a server of its own, and trials that leave no process behind."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.fleet import Crew, carried_by
from tests.e2e.postgres import Postgres, own_postgres
from tests.e2e.proxy import Proxy
from tests.e2e.trial import Trial

NewTrial = Callable[..., Trial]
NewCrew = Callable[..., Crew]


@pytest.fixture(scope="session")
def calm_postgres() -> Iterator[Postgres]:
    """A server for the experiments that leave it alone; one for each worker of the test run."""
    with own_postgres() as server:
        yield server


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server that this one test may break."""
    with own_postgres(max_connections=40) as server:
        yield server


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    """A network of this test's own in front of its server."""
    network = Proxy(postgres.port)
    yield network
    network.close()


@pytest.fixture
def new_trial(tmp_path: Path) -> Iterator[NewTrial]:
    """Makes trials on a fresh database of a server; through the proxy, when one is given."""
    made: list[Trial] = []

    def make(server: Postgres, jobs: Mapping[str, Any], proxy: Proxy | None = None, **settings: Any) -> Trial:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        database = server.create_database()
        through = server.url(database, port=proxy.port if proxy else None)
        made.append(Trial(folder, server.url(database, role="postgres"), jobs, through=through, **settings))
        return made[-1]

    yield make
    for trial in made:
        trial.close()


@pytest.fixture
def new_crew(new_trial: NewTrial) -> Iterator[NewCrew]:
    """Makes crews without a process yet, with the engine of that name; its server is the shared one, or at `url`."""
    made: list[Crew] = []

    def make(
        server: Postgres, engine: str, jobs: Mapping[str, Any], url: str | None = None, **more: Any
    ) -> Crew:
        made.append(Crew(new_trial(server, jobs, **carried_by(engine, url), **more)))
        return made[-1]

    yield make
    for crew in made:
        crew.trial.close()
        crew.forget_queues()
