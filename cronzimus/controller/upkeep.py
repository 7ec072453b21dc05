"""Housekeeping as jobs: put them on the timetable when the house's own broom is not enough."""

from datetime import UTC, datetime, timedelta

from cronzimus.common.db import Database
from cronzimus.errors import CronzimusError
from cronzimus.services.definitions import Definitions
from cronzimus.services.upkeep import Upkeep
from cronzimus.services.verify import Verifier
from cronzimus.workers.context import RunContext


class LedgerIncomplete(CronzimusError):
    """The proof failed: some instant is not accounted for, or accounted for twice."""

    code = "LEDGER_INCOMPLETE"


def prune(db: Database, run: RunContext, days: float | None = None) -> dict[str, int]:
    """Drop history older than `days` (default: history.retention_days) and make room in the ledger ahead."""
    keep = run.settings.history.retention_days if days is None else days
    upkeep = Upkeep(db, lambda _: None, lambda: None, lease_seconds=0, retention_days=keep)
    return {"runs_deleted": upkeep.prune()}


def verify_ledger(db: Database, run: RunContext, hours: float = 24) -> dict[str, int]:
    """Prove the last `hours`; raises LedgerIncomplete, so that the run fails and says what is missing."""
    end = datetime.now(UTC)
    found = Verifier(db, Definitions(db)).verify(end - timedelta(hours=hours), end)
    if not found.ok:
        first = [*found.gaps, *found.surplus][0]
        raise LedgerIncomplete(
            f"{len(found.gaps)} gaps and {len(found.surplus)} surplus rows; the first: "
            f"{first.job_id} at {first.due_at.isoformat()}: {first.problem}"
        )
    run.logger.info("{} instants, all accounted for", found.expected)
    return {"expected": found.expected, "recorded": found.recorded}
