"""The record of who changed what."""

from dataclasses import asdict
from typing import Any

from cronzimus.api.models import AuditPage
from cronzimus.api.queries import AuditQuery
from cronzimus.api.security import needs
from cronzimus.api.support import blueprint, house, page_of

api = blueprint("audit")


@api.get("/audit", responses={200: AuditPage})
@needs("admin")
def list_audit_events(query: AuditQuery) -> tuple[Any, ...]:
    """List what was changed, by whom and from where, latest first."""
    return page_of(house().operating.audit.list(**dict(query)), asdict)
