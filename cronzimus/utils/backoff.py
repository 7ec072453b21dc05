"""How long to wait before the next try."""

from random import Random


def wait_before(
    attempt: int,
    *,
    backoff: float,
    multiplier: float,
    cap: float,
    jitter: float = 0.0,
    random: Random | None = None,
) -> float:
    """Seconds to wait before try number `attempt` (2 is the first retry), never more than `cap`."""
    growth = multiplier ** min(attempt - 2, 64)
    wait = min(backoff * growth, cap)
    extra = wait * jitter * (random or Random()).random()  # nosec B311  # spread, not secrecy
    return min(wait + extra, cap)
