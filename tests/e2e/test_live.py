"""A real stream over a real socket: what happens in one process is heard in another, and nobody is held up."""

import http.client
import json
import queue
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import NewTrial
from tests.e2e.postgres import Postgres
from tests.e2e.service import SERVE, Service
from tests.e2e.trial import job
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BY_HAND = {**job(1), "trigger": {"type": "manual"}}


class Stream:
    """One watcher; its events arrive on a queue, None when the stream has ended."""

    def __init__(self, service: Service, query: str = "") -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        connection.request("GET", f"/api/v1/events{query}")
        self._socket = connection.sock
        self.answer = connection.getresponse()
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, **wanted: str) -> dict[str, Any]:
        """Wait for an event with these fields."""
        while True:
            event = self.events.get(timeout=30)
            assert event is not None, f"the stream ended before {wanted} came"
            if wanted.items() <= event.items():
                return event

    def ended(self) -> None:
        """Wait for the end of the stream."""
        while self.events.get(timeout=30) is not None:
            continue

    def close(self) -> None:
        """Leave without a word."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        for line in self._lines():
            if line.startswith(b"data: "):
                self.events.put(json.loads(line.removeprefix(b"data: ")))
        self.events.put(None)

    def _lines(self) -> Iterator[bytes]:
        try:
            yield from self.answer
        except (OSError, ValueError, http.client.HTTPException):
            return


def test_what_one_process_does_another_one_streams(new_trial: NewTrial, calm_postgres: Postgres) -> None:
    trial = new_trial(calm_postgres, {"each-second": job(1), "by-hand": BY_HAND})
    here, there = trial.fleet.start_all(SERVE, SERVE)
    stream = Stream(there)
    stream.until(topic="job", id="each-second")
    stream.until(topic="run", job_id="each-second", state="success")
    run_id = here.post("/api/v1/jobs/by-hand/run").body["run_id"]
    stream.until(topic="run", id=run_id, state="success")
    assert here.post("/api/v1/jobs/by-hand/pause").status == 200
    stream.until(topic="job", id="by-hand")
    narrow = Stream(there, "?job_id=by-hand")
    assert here.post("/api/v1/jobs/by-hand/resume").status == 200
    assert narrow.events.get(timeout=30) == {"topic": "job", "id": "by-hand", "job_id": "by-hand"}


def test_streams_end_with_the_service_and_do_not_hold_it_up(
    new_trial: NewTrial, calm_postgres: Postgres
) -> None:
    trial = new_trial(calm_postgres, {"by-hand": BY_HAND}, server__streams=3)
    (service,) = trial.fleet.start_all(SERVE)
    streams = [Stream(service) for _ in range(3)]
    assert [stream.answer.status for stream in streams] == [200] * 3
    refused = service.get("/api/v1/events")
    assert (refused.status, refused.body["code"]) == (503, "TOO_MANY_STREAMS")
    assert service.get("/api/v1/jobs").status == 200
    streams[0].close()

    def has_room() -> bool:
        service.post("/api/v1/jobs/by-hand/run")  # who has left is found out when there is something to say
        return Stream(service).answer.status == 200

    until(has_room, 30, "the place of the one that left")
    service.send(signal.SIGTERM)
    assert service.wait(20) == 128 + signal.SIGTERM
    for stream in streams[1:]:
        stream.ended()
