"""Events survive the journey, however many there are."""

import pytest

from cronzimus.models.event import Event, Topic, events_of, payloads

RUN = Event(Topic.RUN, "0190", "nightly", "success")


def test_document_leaves_out_what_is_not_known() -> None:
    assert Event(Topic.LEADER, "me").document() == {"topic": "leader", "id": "me"}
    assert RUN.document() == {"topic": "run", "id": "0190", "job_id": "nightly", "state": "success"}


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_events_come_out_as_they_went_in(count: int) -> None:
    sent = [Event(Topic.RUN, f"{n:036}", "j" * 63, "running") for n in range(count)]
    lists = list(payloads(sent))
    assert all(len(payload.encode()) < 8000 for payload in lists)
    assert [event for payload in lists for event in events_of(payload)] == sent
    assert len(lists) == -(-count // 55)


@pytest.mark.parametrize(
    "payload", ["", "{", "{}x", "[1]", '[{"id":"a"}]', '[{"topic":"of-tomorrow"}]', '[{"topic":"run","x":1}]']
)
def test_what_is_not_understood_may_be_anything(payload: str) -> None:
    assert events_of(payload) == (Event(Topic.MANY),)
