"""Paging options of every list."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

LIMIT = 50


def page_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --limit, --offset and --all; the command gets `limit` (None: all) and `offset`."""

    @click.option(
        "--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="Items to show."
    )
    @click.option("--offset", type=click.IntRange(min=0), default=0, help="Items to pass over.")
    @click.option("--all", "everything", is_flag=True, help="Show every item.")
    @wraps(command)
    def _paged(*args: Any, limit: int, everything: bool, **options: Any) -> Any:
        return command(*args, limit=None if everything else limit, **options)

    return _paged
