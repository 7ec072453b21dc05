import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cronzimus.models.run import Cause
from cronzimus.settings import Settings
from cronzimus.workers.request import Request
from tests.workers.support import claim, settings

SECRET_URL = "postgresql://me:hunter2xyz@host/db"


def request(**facts: Any) -> Request:
    asked = {
        "path": "pkg.mod:f",
        "args": [1],
        "kwargs": {"a": [2]},
        "allowed": ("pkg",),
        "claim": claim(),
        "worker_id": "w1",
        "deadline": 12.5,
        "database_url": SECRET_URL,
        "settings": settings(),
        **facts,
    }
    return Request.of(**asked)


def test_request_survives_its_text() -> None:
    one = request()
    assert Request.from_text(one.text()) == one


def test_text_is_one_line() -> None:
    assert "\n" not in request(kwargs={"text": "two\nlines"}).text()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"due_at": datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "cause": Cause.SCHEDULE},
        {"attempt": 3, "max_attempts": 5, "params": {"x": 1}},
        {"part": 0, "parts": 4, "gated": True},
    ],
)
def test_claim_arrives_as_it_was(facts: dict[str, Any]) -> None:
    one = claim(**facts)
    assert Request.from_text(request(claim=one).text()).claimed() == one


def test_request_without_a_list_is_for_the_house_itself() -> None:
    assert request(allowed=None).allowed is None
    assert request(allowed=()).allowed == []


def test_request_carries_the_places_to_import_from() -> None:
    assert request().sys_path == sys.path


@pytest.mark.parametrize("given", [None, "/somewhere"])
def test_request_carries_the_path_variable(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if given:
        monkeypatch.setenv("PYTHONPATH", given)
    assert request().pythonpath == given


def test_settings_keep_their_names_and_dots() -> None:
    tree = request(settings=settings(allowed_commands=("true", "false"))).settings_tree()
    assert isinstance(tree, SimpleNamespace)
    assert tree.worker.allowed_commands == ["true", "false"]
    assert tree.scheduler.allowed_functions[0] == "tests.workers.jobs"


def test_settings_of_the_house_are_told_without_their_secrets() -> None:
    real = Settings.model_validate(
        {"database": {"url": SECRET_URL}, "worker": {"allowed_commands": ("true",)}}
    )
    one = request(settings=real, database_url="postgresql://host/db")
    assert one.settings_tree().worker.allowed_commands == ["true"]
    assert one.settings_tree().logging.level == "INFO"
    assert "hunter2xyz" not in one.text()


def test_text_is_plain_json() -> None:
    assert json.loads(request().text())["kwargs"] == {"a": [2]}


def test_what_other_jobs_came_to_goes_along() -> None:
    assert Request.from_text(request(inputs={"a": [1, None]}).text()).inputs == {"a": [1, None]}
