"""A scrape tells the house's counts and the process's own; without the database only the latter."""

from prometheus_client.parser import text_string_to_metric_families

from cronzimus.common.db import Database
from cronzimus.common.metrics import Registry
from cronzimus.models.run import RunState
from cronzimus.services.metrics import WHOLE, ProcessMetrics, Scrape, families_of
from cronzimus.services.totals import LedgerTotals
from tests.heart import Heart

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def samples(text: bytes) -> dict[str, float]:
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for metric in text_string_to_metric_families(text.decode())
        for sample in metric.samples
    }


def scrape(database: Database, *, ask: bool = True) -> dict[str, float]:
    process = ProcessMetrics({"service": database})
    return samples(Scrape(LedgerTotals(database), process).text("", [], ask=ask)[0])


def test_counts_of_the_ledger_are_told(heart: Heart) -> None:
    heart.add()
    heart.make_due("a")
    (claim,) = heart.claim(heart.fire())
    heart.end(claim, RunState.TIMEOUT)
    told = scrape(heart.database)
    assert told["cronzimus_runs_total,function,timeout"] == 1
    assert told["cronzimus_firings_total,fired,"] == 1
    assert told["cronzimus_run_duration_seconds_count,function,timeout"] == 1
    assert told["cronzimus_jobs,active"] == 1 and told["cronzimus_leader_present"] == 1
    assert told["cronzimus_database_up"] == 1


def test_zero_is_told(heart: Heart) -> None:
    told = scrape(heart.database)
    for name in (
        "runs_total,shell,failed",
        "firings_total,missed,misfire",
        "runs_open,pending",
        "jobs,broken",
    ):
        assert told[f"cronzimus_{name}"] == 0, name
    assert "cronzimus_ledger_gaps" not in told


def test_pools_are_told(heart: Heart) -> None:
    with heart.database.connection():
        told = scrape(heart.database, ask=False)
    assert told["cronzimus_db_pool_in_use,service"] == 1
    assert told["cronzimus_db_pool_size,service"] >= 1
    assert told["cronzimus_db_pool_waiting,service"] == 0


def test_database_that_is_away_is_told() -> None:
    away = Database(NOWHERE, 1, timeout=0.2)
    told = scrape(away)
    assert told["cronzimus_database_up"] == 0
    assert "cronzimus_jobs,active" not in told and "cronzimus_db_pool_size,service" in told
    away.close()


def test_database_known_to_be_away_is_not_waited_for(heart: Heart) -> None:
    heart.database.close()
    assert scrape(heart.database, ask=False)["cronzimus_database_up"] == 0


def test_instruments_of_other_parts_are_told(heart: Heart) -> None:
    registry = Registry()
    registry.counter("others", "Of another part.").inc(5)
    text, _ = Scrape(LedgerTotals(heart.database), ProcessMetrics({})).text("", [registry], ask=True)
    assert samples(text)["others_total"] == 5


def test_numbers_of_the_house_say_how_to_read_them(heart: Heart) -> None:
    families = families_of(LedgerTotals(heart.database).read())
    assert len(families) > 14 and all(family.help.endswith(WHOLE) for family in families)


def test_watchers_are_told() -> None:
    text, _ = Scrape(LedgerTotals(Database(NOWHERE, 1)), ProcessMetrics({}, lambda: 3)).text(
        "", [], ask=False
    )
    assert samples(text)["cronzimus_event_streams"] == 3
