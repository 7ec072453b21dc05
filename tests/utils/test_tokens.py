"""Secrets we make: random, recognisable, and checked before anybody is asked."""

import hashlib
import re

import pytest

from cronzimus.utils.tokens import SHOWN, digest, is_token, new_secret, new_token


def test_tokens_have_their_shape_and_are_never_the_same() -> None:
    made = {new_token() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"czt_[0-9A-Za-z]{42}", token) and is_token(token) for token in made)


def test_what_is_shown_of_a_token_leaves_enough_to_guess() -> None:
    assert len(new_token()) - SHOWN == 36


def test_a_slip_of_the_pen_is_no_token() -> None:
    token = new_token()
    for place in (4, 20, 45):
        wrong = "a" if token[place] != "a" else "b"
        assert not is_token(token[:place] + wrong + token[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "czt_", "czt_" + "0" * 42, "ghp_" + "0" * 42, "czt_" + "0" * 43, "größe"]
)
def test_noise_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_secrets_of_cookies_are_long_and_fit_a_header() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", new_secret()) and new_secret() != new_secret()


def test_digest_is_sha256() -> None:
    assert digest("größe") == hashlib.sha256("größe".encode()).hexdigest()
