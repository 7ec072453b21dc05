"""How jobs, rules and channels are called."""

from typing import Final

SLUG: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
