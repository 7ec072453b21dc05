"""One page of a long list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`items` from `offset` on, `total` being the length of the whole list."""

    items: tuple[Item, ...]
    total: int
    limit: int
    offset: int
