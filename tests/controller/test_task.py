import pytest

from cronzimus.common.db import Database
from cronzimus.controller.task import task
from cronzimus.errors import DatabaseUnavailable
from cronzimus.workers.injection import check_allowed, check_call
from tests.workers.support import NOWHERE


def test_task_is_true_when_the_database_answers(database: Database) -> None:
    assert task(database) is True


def test_task_is_false_without_a_database() -> None:
    assert task(None) is False


def test_task_fails_when_the_database_is_away() -> None:
    with pytest.raises(DatabaseUnavailable):
        task(Database(NOWHERE, 1, timeout=0.2))


def test_task_may_be_registered_without_arguments() -> None:
    found = check_allowed("cronzimus.controller.task:task", ["cronzimus.controller"])
    check_call(found, [], {})
    assert found.injected == {"db"}
