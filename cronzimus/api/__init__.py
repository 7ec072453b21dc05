"""REST: thin views over the services. `ls` of this room is the contents page of API.md."""

from cronzimus.api.app import build_flask
from cronzimus.api.security import check_can_start, check_every_route

__all__ = ["build_flask", "check_can_start", "check_every_route"]
