"""The stream of the pages: only what a page shows, and nothing for strangers."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from cronzimus.house import House
from cronzimus.models.event import Event, Topic

RUN = Event(Topic.RUN, "1", "a", "running")


def heard(house: House, web: FlaskClient, query: str, *events: Event) -> bytes:
    """What a page hears of some events before the house closes."""
    answer = web.get(f"/live?{query}", buffered=False)
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    for event in events:
        house.operating.hub.tell(event)
    body = answer.iter_encoded()
    said = next(body) + next(body)
    answer.close()
    return said


def test_a_page_hears_of_what_it_shows(house: House, web: FlaskClient) -> None:
    said = heard(house, web, "topics=run+job", Event(Topic.LOG, "1", "a"), RUN)
    assert said.count(b"event: change") == 1
    assert b'data: {"topic":"run","id":"1","job_id":"a","state":"running"}' in said


def test_a_page_of_one_job_hears_of_that_job(house: House, web: FlaskClient) -> None:
    said = heard(house, web, "topics=run&job=b", RUN, Event(Topic.RUN, "2", "b"))
    assert said.count(b"event: change") == 1 and b'"id":"2"' in said


def test_a_page_is_told_to_look_at_everything(house: House, web: FlaskClient) -> None:
    assert b'"topic":"many"' in heard(house, web, "topics=run&job=b", Event(Topic.MANY))


@pytest.mark.parametrize("query", ["topics=weather", "job=Not+A+Slug", "colour=red"])
def test_a_wrong_question_is_refused(web: FlaskClient, query: str) -> None:
    answer: Any = web.get(f"/live?{query}")
    assert answer.status_code == 422
