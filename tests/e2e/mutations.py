"""The service with one safety removed: each text is carried out before the service begins.

A mutation that no longer fits the code ends the process at once, so that it cannot pass for a sound service.
"""

from pathlib import Path

_FRAME = """
import os, traceback
try:
{body}
except BaseException:
    traceback.print_exc()
    os._exit(99)
"""

# Without the key, and without the clause that leans on it. The test drops the key itself.
WITHOUT_KEY = """
from cronzimus.services import firing
clause = "ON CONFLICT (job_id, due_at) DO NOTHING"
assert clause in firing._SQL["commit"]
firing._SQL["commit"] = firing._SQL["commit"].replace(clause, "")
"""

# The firing statement asks nobody who leads, and a replica that once led believes it for ever.
WITHOUT_FENCE = """
from cronzimus.services import firing
from cronzimus.services.leadership import Leadership
fence = " AND holder = %(holder)s AND epoch = %(epoch)s AND expires_at > clock_timestamp()"
assert fence in firing._SQL["commit"]
firing._SQL["commit"] = firing._SQL["commit"].replace(fence, "")
assert isinstance(Leadership.term, property) and callable(Leadership._stand_down)
Leadership.term = property(lambda self: self._term)
Leadership._stand_down = lambda self: None
"""

# The next due time is computed from the clock, not from the one before.
NEXT_FROM_NOW = """
from cronzimus.services import decide
assert callable(decide._walk)
decide._walk = lambda definition, due_at, now: ([due_at], definition.schedule.next_after(now))
"""

# A worker begins a run although the commit of its claim has failed.
CLAIM_BEFORE_COMMIT = """
from cronzimus.errors import DatabaseUnavailable
from cronzimus.models.run import Exchange
from cronzimus.services.claims import Claims
assert callable(Claims._exchange)
def hasty(self, ended, wanted, worker_id, lease_seconds):
    claims = ()
    try:
        with self._database.transaction():
            retries = self._finish(ended, worker_id) if ended else ()
            claims = self._claim(wanted, worker_id, lease_seconds).claims if wanted else ()
    except DatabaseUnavailable:
        if not claims:
            raise
        return Exchange(claims, ())
    return Exchange(claims, retries)
Claims._exchange = hasty
"""

# The job is moved on in a commit of its own, before the ledger's.
MOVE_BEFORE_LEDGER = """
from cronzimus.services import firing
condition = " AND j.next_due_at = m.due_at"
assert condition in firing._SQL["commit"]
firing._SQL["commit"] = firing._SQL["commit"].replace(condition, "")
commit = firing.FiringService.commit
move = "UPDATE cronzimus.jobs SET next_due_at = %s WHERE id = %s"
def hasty(self, term, plans):
    for plan in plans:
        self._database.execute(move, [plan.next_due_at, plan.definition.id])
    return commit(self, term, plans)
firing.FiringService.commit = hasty
"""


def install(mutation: str, library: Path) -> None:
    """Let every Python that has `library` on its path carry the mutation out when it starts."""
    body = "\n".join(f"    {line}" for line in mutation.strip().splitlines())
    (library / "sitecustomize.py").write_text(_FRAME.format(body=body))
