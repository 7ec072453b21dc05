"""What answers about tokens and people hold."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cronzimus.api.access import TokenView, UserView, token_view, user_view
from cronzimus.models.access import ApiToken, Role, User

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_token(**changes: Any) -> ApiToken:
    told: dict[str, Any] = {"expires_at": None, "last_used_at": None, "revoked_at": None, "revoked_by": None}
    return ApiToken(uuid4(), "ci", "czt_abcdef", ("read",), "ann", NOW, **{**told, **changes})


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "live"),
        ({"expires_at": NOW + timedelta(seconds=1)}, "live"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW, "revoked_at": NOW, "revoked_by": "ann"}, "revoked"),
    ],
)
def test_a_token_tells_whether_it_opens_anything(changes: dict[str, Any], state: str) -> None:
    view = token_view(a_token(**changes), NOW)
    assert view["state"] == state
    TokenView.model_validate({**view, "scopes": list(view["scopes"])})


def test_a_person_tells_nothing_of_their_password() -> None:
    view = user_view(User("ann", Role.ADMIN, True, None, "root", NOW, NOW, None, NOW))
    assert view["disabled"] is True and set(view) == set(UserView.model_fields)
