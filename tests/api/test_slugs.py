"""Names in the path."""

import pytest

from cronzimus.api.slugs import slug_of
from cronzimus.errors import NotFound


def test_name_passes_as_it_is() -> None:
    assert slug_of("pool", "POOL_NOT_FOUND")("db-1") == "db-1"


@pytest.mark.parametrize("name", ["", "DB", "a b", "-a", "a/b", 7])
def test_name_that_nothing_can_have_is_not_found(name: object) -> None:
    with pytest.raises(NotFound, match="no pool is called") as caught:
        slug_of("pool", "POOL_NOT_FOUND")(name)
    assert caught.value.code == "POOL_NOT_FOUND"
