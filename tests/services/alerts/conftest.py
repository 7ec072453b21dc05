"""A desk on a fresh database."""

from collections.abc import Iterator

import pytest
from loguru import logger

from cronzimus.common.db import Database
from tests.services.alerts.support import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    """Rules, alerts, watch and courier."""
    return Desk(database)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    lines: list[str] = []
    handler = logger.add(lambda text: lines.append(str(text).strip()), format="{message}")
    yield lines
    logger.remove(handler)
