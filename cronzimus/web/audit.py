"""The audit page: who changed what."""

from cronzimus.api.queries import AuditQuery
from cronzimus.api.security import needs
from cronzimus.api.support import V1, house
from cronzimus.web.room import Answer, address, page, query_of, room

pages = room("audit")


@pages.get("/audit")
@needs("admin")
def show_audit() -> Answer:
    """What was changed, latest first."""
    query = query_of(AuditQuery)
    found = house().operating.audit.list(**dict(query))
    return page(
        "audit.html",
        twin=address(f"{V1}/audit", **dict(query)),
        query=query,
        found=found,
        href=lambda offset: address("/audit", **{**dict(query), "offset": offset}),
    )
