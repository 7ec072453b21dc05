import pytest

from cronzimus.workers.engines.naming import queue_for


@pytest.mark.parametrize(
    ("worker", "longest", "queue"),
    [("web-1", 40, "tasks.web-1"), ("w" * 34, 40, "tasks." + "w" * 34), ("", 40, "tasks.")],
)
def test_queue_is_named_after_its_worker(worker: str, longest: int, queue: str) -> None:
    assert queue_for("tasks", worker, longest) == queue


@pytest.mark.parametrize("worker", ["w" * 35, "w" * 300, "ö" * 20])
def test_long_name_fits_and_stays_its_own(worker: str) -> None:
    queue = queue_for("tasks", worker, 40)
    assert len(queue.encode()) <= 40
    assert queue.startswith(f"tasks.{worker[:5]}")
    assert queue == queue_for("tasks", worker, 40)
    assert queue != queue_for("tasks", worker + "2", 40)
