"""How often somebody may guess a password: per name and per network, counted in every process together."""

import hashlib
import ipaddress
from datetime import timedelta
from typing import Any, Final

from cronzimus.common.db import Database
from cronzimus.common.sql import queries
from cronzimus.errors import TooMany

_SQL = queries("cronzimus.services.sql", "access.sql")
WINDOW: Final = timedelta(minutes=15)
MOST_FOR_A_NAME: Final = 10
MOST_FROM_A_NETWORK: Final = 50


class Attempts:
    """Guesses are counted before they are judged, so that many at once are no way around the limit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, name: str, address: str | None) -> None:
        """Count one guess; raises TooMany, which is not counted, so that a lockout ends by itself."""
        keys = _keys(name, address)
        with self._database.transaction():
            self._database.execute(_SQL["lock_attempts"], keys)
            found = self._database.fetch_one(_SQL["attempts"], {**keys, "window": WINDOW}) or (0, 0, 0, 0)
            of_name, of_network, name_wait, network_wait = found
            if of_name >= MOST_FOR_A_NAME:
                raise _too_many(name_wait)
            if of_network >= MOST_FROM_A_NETWORK:
                raise _too_many(network_wait)
            self._database.execute(_SQL["count_attempt"], keys)

    def forgive(self, name: str, address: str | None) -> None:
        """Who came in at last starts afresh from where they are; guesses from elsewhere still count."""
        self._database.execute(_SQL["forgive"], _keys(name, address))

    def prune(self) -> None:
        """Forget the guesses that no longer count."""
        self._database.execute(_SQL["forget_attempts"], {"window": WINDOW})


def network_of(address: str | None) -> str:
    """What counts as one guesser: an IPv4 address, or the /64 that one IPv6 line gets."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _keys(name: str, address: str | None) -> dict[str, Any]:
    return {"name_sha256": hashlib.sha256(name.encode()).hexdigest(), "network": network_of(address)}


def _too_many(wait: float) -> TooMany:
    seconds = max(1.0, wait)
    return TooMany(
        f"too many attempts to sign in; try again in {max(1, round(seconds / 60))} min",
        retry_after=seconds,
        code="TOO_MANY_ATTEMPTS",
    )
