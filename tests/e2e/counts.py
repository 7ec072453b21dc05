"""The same counts from every place that tells them: the database, /metrics, REST, the command line."""

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.service import Service
from tests.e2e.trial import Trial

ENDED = ("success", "partial", "failed", "timeout", "cancelled", "lost")
KINDS = ("function", "shell")

_RUNS = """
    SELECT v.definition ->> 'kind', r.state, count(*) FROM cronzimus.runs r
    JOIN cronzimus.job_versions v ON v.job_id = r.job_id AND v.version = r.job_version
    WHERE r.ended_at IS NOT NULL GROUP BY 1, 2
"""
_FIRINGS = "SELECT decision, coalesce(reason, ''), count(*) FROM cronzimus.firings GROUP BY 1, 2"


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs ended by kind and state, rows of the ledger by decision and reason; what is zero is left out."""

    runs: Mapping[tuple[str, str], int]
    firings: Mapping[tuple[str, str], int]


def in_database(trial: Trial) -> Counts:
    """The truth."""
    runs = {(kind, state): count for kind, state, count in trial.query(_RUNS)}
    return Counts(runs, {(decision, reason): count for decision, reason, count in trial.query(_FIRINGS)})


def in_metrics(service: Service) -> Counts:
    """What a scrape of this replica says."""
    found = scrape(service)
    return Counts(
        {labels: round(value) for labels, value in found["cronzimus_runs_total"].items() if value},
        {labels: round(value) for labels, value in found["cronzimus_firings_total"].items() if value},
    )


def in_rest(service: Service, wanted: Counts) -> Counts:
    """What the totals of its lists say: for every kind and state there is, for every decision and reason wanted."""
    runs = {
        (kind, state): _total(service, f"runs?kind={kind}&state={state}") for kind in KINDS for state in ENDED
    }
    firings = {
        (decision, reason): _total(
            service, f"firings?decision={decision}" + (f"&reason={reason}" if reason else "")
        )
        for decision, reason in wanted.firings
    }
    return Counts({key: count for key, count in runs.items() if count}, firings)


def in_command_line(trial: Trial, service: Service) -> Counts:
    """What `runs list --all` and `firings` list, counted one by one."""
    runs = {
        (kind, state): count
        for kind in KINDS
        for state, count in Counter(
            run["state"] for run in _listed(trial, service, "runs", "list", "--kind", kind)
        ).items()
        if state in ENDED
    }
    firings = Counter(
        (row["decision"], row["reason"] or "") for row in _listed(trial, service, "firings", "list")
    )
    return Counts(runs, dict(firings))


def scrape(service: Service) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample of a scrape, by name and by the values of its labels in the order of their names."""
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def _total(service: Service, route: str) -> int:
    answer = service.get(f"/api/v1/{route}&limit=1")
    assert answer.status == 200, answer
    return int(answer.body["total"])


def _listed(trial: Trial, service: Service, *words: str) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "cronzimus", *words, "--all", "-o", "json"]
    environment = {**trial.fleet.environment, "CRONZIMUS_URL": f"http://127.0.0.1:{service.port}"}
    done = subprocess.run(
        command, cwd=trial.fleet.folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    items: list[dict[str, str]] = said["items"] if isinstance(said, dict) else said
    return items
