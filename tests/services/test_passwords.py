"""Passwords: kept slowly, checked slowly, whoever it is."""

import threading

import pytest

from cronzimus.errors import Invalid, Unavailable
from cronzimus.services import passwords
from cronzimus.services.passwords import Passwords

PASSWORD = "correct horse battery"


@pytest.fixture
def cheap() -> Passwords:
    """Passwords that cost a test little."""
    return Passwords(memory_mb=1)


def test_a_password_matches_its_hash_and_no_other(cheap: Passwords) -> None:
    kept = cheap.hashed(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=1024,t=3,p=1$") and PASSWORD not in kept
    assert cheap.match(kept, PASSWORD)
    assert not cheap.match(kept, PASSWORD + "!") and not cheap.match(kept, "")


def test_the_same_password_is_never_kept_alike(cheap: Passwords) -> None:
    assert cheap.hashed(PASSWORD) != cheap.hashed(PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 1025])
def test_passwords_have_bounds(cheap: Passwords, password: str) -> None:
    with pytest.raises(Invalid) as caught:
        cheap.hashed(password)
    assert caught.value.faults[0].field == "password" and (
        not password or password not in caught.value.message
    )


def test_nobody_costs_as_much_as_somebody(cheap: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = cheap._hasher.verify
    kept = cheap.hashed(PASSWORD)
    hasher = type(
        "Watched", (), {"verify": lambda self, known, given: (checked.append(known), verify(known, given))[1]}
    )()
    _ = cheap._nobody
    monkeypatch.setattr(cheap, "_hasher", hasher)
    assert not cheap.match(None, PASSWORD) and cheap.match(kept, PASSWORD)
    assert [known.split("$")[1:4] for known in checked] == [kept.split("$")[1:4]] * 2


def test_what_is_no_hash_matches_nothing(cheap: Passwords) -> None:
    assert not cheap.match("plain", PASSWORD)


def test_a_hash_of_another_cost_is_stale(cheap: Passwords) -> None:
    kept = cheap.hashed(PASSWORD)
    assert not cheap.is_stale(kept) and Passwords(memory_mb=2).is_stale(kept)


def test_no_more_are_checked_at_once_than_memory_allows(
    cheap: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(cheap, "_turns", threading.BoundedSemaphore(1))
    with cheap._turn(), pytest.raises(Unavailable) as caught:
        cheap.match(None, PASSWORD)
    assert caught.value.code == "SIGN_IN_BUSY"
