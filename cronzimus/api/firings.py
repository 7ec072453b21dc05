"""The ledger: what became of every due instant."""

from typing import Any

from cronzimus.api.models import FiringPage
from cronzimus.api.queries import FiringQuery
from cronzimus.api.render import firing_view
from cronzimus.api.security import needs
from cronzimus.api.support import blueprint, house, page_of

api = blueprint("firings")


@api.get("/firings", responses={200: FiringPage})
@needs("read")
def list_firings(query: FiringQuery) -> tuple[Any, ...]:
    """List ledger rows, latest first."""
    return page_of(house().history.firings(**dict(query)), firing_view)
