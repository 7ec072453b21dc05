"""The statements of the dispatcher: what they see, and what they cost."""

import pytest

from cronzimus.common.sql import queries
from tests.heart import Heart
from tests.workers.dispatching import Office

QUERIES = queries("cronzimus.workers", "dispatching.sql")
_MANY = """
INSERT INTO cronzimus.runs (id, job_id, job_version, cause, trace_id, gated, for_workers, ranked_at, held_by)
SELECT gen_random_uuid(), 'a', 1, 'manual', 't', true, true, clock_timestamp(),
       CASE WHEN n % 2 = 0 THEN 'mutex:' || n % 7 END
FROM generate_series(1, 20000) n
"""


@pytest.fixture
def office(heart: Heart) -> Office:
    """A dispatcher and nobody else yet."""
    return Office(heart)


@pytest.mark.parametrize(
    ("question", "index"), [("waiting", "for_workers_ranked_at"), ("held_keys", "held_by_ranked_at")]
)
def test_what_comes_next_is_one_walk_along_an_index(office: Office, question: str, index: str) -> None:
    office.add()
    office.open()
    office.heart.database.execute(_MANY)
    office.heart.database.execute("ANALYZE cronzimus.runs")
    params = {"limit": 10, "for_workers": True, "after": ""}
    plan = office.heart.database.fetch_all(f"EXPLAIN {QUERIES[question]}", params)
    assert any(f"idx_runs_{index}" in line for (line,) in plan), plan
    assert not any("Seq Scan on runs" in line for (line,) in plan), plan
