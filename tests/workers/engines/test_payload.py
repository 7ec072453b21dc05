import json
from typing import Any

import pytest

from cronzimus.utils.ids import new_id
from cronzimus.workers.engines.payload import payload_of, run_ids_of


def test_ids_come_back_as_they_went() -> None:
    run_ids = tuple(new_id() for _ in range(3))
    assert run_ids_of(json.loads(json.dumps(payload_of(run_ids)))) == run_ids


@pytest.mark.parametrize(
    "payload", [{}, {"runs": None}, {"runs": "a"}, {"runs": [1]}, {"runs": ["a"]}, {"ids": []}]
)
def test_anything_else_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        run_ids_of(payload)
