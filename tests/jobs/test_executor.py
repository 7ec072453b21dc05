"""The executor collects; nothing runs in it."""

from datetime import UTC, datetime

from cronzimus.jobs.due import WakeUp
from cronzimus.jobs.executor import FiringExecutor
from tests.heart import Heart


def test_submitted_job_is_decided_and_not_yet_written(heart: Heart) -> None:
    wake_up = WakeUp(
        heart.firing, lambda: heart.leadership.term, heart.offered.extend, batch_size=9, poll_seconds=1
    )
    heart.add(trigger={"type": "interval", "hours": 1})
    heart.make_due("a")
    (entry,) = wake_up.look()
    FiringExecutor(wake_up).submit_job(entry, [datetime.now(UTC)])
    assert entry.plan is not None and heart.history.firings().total == 0
    wake_up.commit()
    assert heart.history.firings().total == 1
