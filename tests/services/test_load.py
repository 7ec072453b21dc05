"""How many runs at once: each overlap policy, jitter, and the bound on what is walked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cronzimus.models.plan import Load
from cronzimus.services.load import Line, loads
from tests.heart import definition

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = START + timedelta(days=1)
HOURLY = {"type": "cron", "expression": "0 * * * *"}


def line(minutes: float, job_id: str = "a", *, before: bool = True, after: bool = True, **more: Any) -> Line:
    job = definition(job_id, **{"trigger": HOURLY, **more})
    return Line(job, job.schedule.first_due(START), timedelta(minutes=minutes), before, after)


def peaks(*lines: Line) -> tuple[int, int]:
    before, after, _ = loads(lines, START, DAY)
    return before.peak, after.peak


def test_runs_that_touch_do_not_overlap() -> None:
    assert peaks(line(60, policy={"overlap": "allow"})) == (1, 1)
    assert peaks(line(61, policy={"overlap": "allow"})) == (2, 2)


def test_only_what_is_there_counts() -> None:
    assert peaks(line(1, "a"), line(1, "b", after=False), line(1, "c", before=False)) == (2, 2)
    assert peaks(line(1, "a"), line(1, "b", after=False)) == (2, 1)
    assert peaks() == (0, 0)


@pytest.mark.parametrize(
    ("policy", "peak"),
    [
        ({"overlap": "skip"}, 1),
        ({"overlap": "skip", "max_instances": 2}, 2),
        ({"overlap": "queue"}, 1),
        ({"overlap": "replace"}, 1),
        ({"overlap": "allow"}, 3),
    ],
)
def test_a_policy_bounds_its_job(policy: dict[str, Any], peak: int) -> None:
    assert peaks(line(150, policy=policy)) == (peak, peak)


def test_what_was_queued_goes_on_after_the_others() -> None:
    # Due every hour until noon and 90 minutes long: the queue keeps it busy until the evening.
    queued = line(90, policy={"overlap": "queue"}, trigger={"type": "cron", "expression": "0 0-11 * * *"})
    evening = line(1, "b", trigger={"type": "cron", "expression": "0 17 * * *"})
    assert peaks(queued, evening) == (2, 2)
    skipped = line(90, policy={"overlap": "skip"}, trigger={"type": "cron", "expression": "0 0-11 * * *"})
    assert peaks(skipped, evening) == (1, 1)


def test_what_was_replaced_ends_with_its_successor() -> None:
    replaced = line(90, policy={"overlap": "replace"}, trigger={"type": "cron", "expression": "0 1-3 * * *"})
    during = line(1, "b", trigger={"type": "cron", "expression": "15 4 * * *"})
    behind = line(1, "c", trigger={"type": "cron", "expression": "31 4 * * *"})
    assert peaks(replaced, during) == (2, 2)
    assert peaks(replaced, behind) == (1, 1)


def test_starts_of_a_minute_are_counted() -> None:
    crowd = [
        line(0.1, f"j{number}", trigger={"type": "cron", "expression": "0 2 * * *"}) for number in range(9)
    ]
    before, after, until = loads(crowd, START, DAY)
    two = START + timedelta(hours=2)
    assert before == after == Load(9, two, 9, two) and until == DAY


def test_jitter_spreads_the_starts() -> None:
    trigger = {"type": "cron", "expression": "0 2 * * *", "jitter": 3000}
    crowd = [line(0.5, f"j{number}", trigger=trigger) for number in range(40)]
    before, _, _ = loads(crowd, START, DAY)
    assert before.peak < 10 and before.starts < 10


def test_too_many_instants_shorten_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronzimus.services.load.MOST_INSTANTS", 100)
    before, _, until = loads([line(0.1, trigger={"type": "interval", "seconds": 1})], START, DAY)
    assert until == START + timedelta(seconds=101) and before.peak == 1


def test_a_job_that_is_never_due_is_no_load() -> None:
    assert peaks(line(5, trigger={"type": "manual"})) == (0, 0)
