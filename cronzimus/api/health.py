"""Whether the process lives, whether it should get requests, and what it depends on."""

from typing import Any

from cronzimus.api.models import HealthView, ReadinessView, Running
from cronzimus.api.security import anyone, needs
from cronzimus.api.support import V1, blueprint, house
from cronzimus.version import version

api = blueprint("health", prefix="")


@api.get("/api/health", responses={200: Running})
@anyone
def get_liveness() -> dict[str, str]:
    """Whether the process answers; never asks the database."""
    return {"status": "running"}


@api.get("/livez", responses={200: Running})
@anyone
def get_livez() -> dict[str, str]:
    """The same under the name probes expect."""
    return {"status": "running"}


@api.get("/readyz", responses={200: ReadinessView, 503: ReadinessView})
@anyone
def get_readyz() -> tuple[dict[str, Any], int]:
    """Whether this process should get requests; tells strangers nothing more."""
    report = house().readiness.report()
    return {"status": report.status}, _status(report.ready)


@api.get(f"{V1}/health", responses={200: HealthView, 503: HealthView})
@needs("read")
def get_health() -> tuple[dict[str, Any], int]:
    """Version and state of everything this process depends on."""
    report = house().readiness.report()
    body = {"status": report.status, "version": version(), "components": report.components}
    return body, _status(report.ready)


def _status(is_ready: bool) -> int:
    return 200 if is_ready else 503
