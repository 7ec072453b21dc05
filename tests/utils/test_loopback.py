"""Names and addresses of this machine."""

import pytest

from cronzimus.utils.loopback import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
)
def test_loopback_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "example.org",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "2130706433",
        "127.1",
    ],
)
def test_other_names_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
