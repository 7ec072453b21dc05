"""The board, the alert rules and the page of metrics speak of what a real scrape tells, in words Prometheus knows."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from cronzimus.api import build_flask
from cronzimus.house import House
from cronzimus.services.ledger_check import LedgerCheck
from cronzimus.settings import Settings
from tests.heart import Heart
from tests.house.tree import ROOT

BOARD: dict[str, Any] = json.loads((ROOT / "docs/deployment/grafana/cronzimus.json").read_text("utf-8"))
RULES = ROOT / "docs/deployment/prometheus"
DOCUMENT = (ROOT / "docs/metrics.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(cronzimus_\w+)` \| (\w+) \| (.*?) \|", DOCUMENT, re.MULTILINE)

NAME = re.compile(r"\bcronzimus_\w+")
SELECTED = re.compile(r"(cronzimus_\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|without) \(([^)]*)\)")
# What Prometheus itself adds to every series.
TARGET = {"job", "instance"}
VARIABLES = {"$job": "cronzimus", "$__rate_interval": "5m", "${datasource}": "x"}


@dataclass(frozen=True, slots=True)
class Told:
    """One metric of a scrape; the labels are those of its samples."""

    kind: str
    labels: frozenset[str]


@pytest.fixture
def scrape(heart: Heart, database_url: str) -> Iterator[dict[str, Told]]:
    """Every metric by the name a query uses, of a house in which something has happened."""
    heart.add()
    heart.make_due("a")
    (claim,) = heart.claim(heart.fire())
    heart.end(claim)
    heart.runs.trigger("a", by="me")
    heart.database.execute("INSERT INTO cronzimus.pools (name, slots, changed_by) VALUES ('db', 2, 'me')")
    heart.add("waits", trigger={"type": "manual"}, limits={"pool": "db"})
    heart.runs.trigger("waits", by="me")
    heart.database.execute("UPDATE cronzimus.runs SET held_by = 'pool:db' WHERE gated")
    LedgerCheck(heart.database, heart.verifier, lambda: heart.leadership.term).step()
    house = House(Settings(), url=database_url)
    app = build_flask(house.settings)
    app.extensions["cronzimus"] = house
    app.test_client().get("/livez")
    requests = app.extensions["cronzimus-requests"]
    text, _ = house.operating.scrape.text("", [requests.registry], ask=True)
    yield dict(_told(text.decode()))
    house.stop()


def _told(text: str) -> Iterator[tuple[str, Told]]:
    for metric in text_string_to_metric_families(text):
        labels = frozenset(name for sample in metric.samples for name in sample.labels) - {"le"}
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert metric.samples, f"nothing is told of {name}"
        yield name, Told(metric.type, labels)
        if metric.type == "histogram":
            yield f"{name}_bucket", Told("", labels | {"le"})


def board_expressions() -> list[str]:
    found = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())]
    found += [one["expr"] for one in BOARD["annotations"]["list"]]
    for variable, value in VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe").load(RULES / "rules.yaml")["groups"]
    return list(group["rules"])


def strangers(expression: str, scrape: dict[str, Told]) -> list[str]:
    """The metrics and labels of an expression that no scrape tells."""
    names = set(NAME.findall(expression))
    unknown = [name for name in sorted(names) if name not in scrape]
    known = frozenset(label for name in names & scrape.keys() for label in scrape[name].labels) | TARGET
    for name, selected in SELECTED.findall(expression):
        own = (scrape[name].labels if name in scrape else frozenset()) | TARGET
        unknown += [
            f"{name}{{{label}}}" for label in re.findall(r"(\w+)\s*[=!]", selected) if label not in own
        ]
    grouped = {label.strip() for found in GROUPED.findall(expression) for label in found.split(",")}
    return [*unknown, *sorted(grouped - known)]


def test_document_tells_every_metric_and_no_other(scrape: dict[str, Told]) -> None:
    documented = {name: Told(kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROWS}
    assert documented == {name: told for name, told in scrape.items() if told.kind}


def test_board_and_rules_speak_of_what_is_told(scrape: dict[str, Told]) -> None:
    expressions = [*board_expressions(), *(rule["expr"] for rule in rules())]
    assert len(expressions) > 30
    assert {e: strangers(e, scrape) for e in expressions if strangers(e, scrape)} == {}


@pytest.mark.parametrize(
    "expression",
    [
        "cronzimus_job",
        'cronzimus_jobs{state="x"}',
        "max by (kind) (cronzimus_jobs)",
        "cronzimus_runs",
        "cronzimus_queue_wait_seconds",
    ],
)
def test_strangers_are_found(expression: str) -> None:
    told = {"cronzimus_jobs": Told("gauge", frozenset({"status"}))}
    assert strangers(expression, told) != []


def test_numbers_of_the_house_are_taken_by_max() -> None:
    """Every replica tells them: a sum would count them as many times as there are replicas."""
    _, house, process = re.split(r"^## Of .*$", DOCUMENT, flags=re.MULTILINE)
    house_wide = set(NAME.findall(house)) - set(NAME.findall(process))
    for expression in [*board_expressions(), *(rule["expr"] for rule in rules())]:
        for name in NAME.findall(expression):
            base = re.sub(r"_bucket$", "", name)
            before = expression[: expression.index(name)]
            if base in house_wide:
                nearest = re.findall(r"\b(sum|max|min|count|avg)\b", before)[-1:]
                assert nearest == ["max"], expression


def test_board_has_what_grafana_needs() -> None:
    assert BOARD["uid"] and BOARD["title"] and BOARD["schemaVersion"] >= 36 and "id" not in BOARD
    names = [variable["name"] for variable in BOARD["templating"]["list"]]
    assert names == ["datasource", "job"] and BOARD["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids)) > 15
    for panel in BOARD["panels"]:
        assert panel["type"] in ("row", "stat", "timeseries", "heatmap") and panel["title"]
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["targets"] and all(target["datasource"] for target in panel["targets"])
            references = [target["refId"] for target in panel["targets"]]
            assert len(references) == len(set(references))


def test_panels_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_every_rule_says_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 12
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"]


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip(
            "promtool is not installed: apt-get install prometheus; it judges the rules and the board"
        )
    return found


def judged(promtool: str, *words: str, folder: Path = RULES) -> str:
    done = subprocess.run([promtool, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules(promtool: str) -> None:
    assert f"{len(rules())} rules found" in judged(promtool, "check", "rules", "rules.yaml")


def test_alerts_are_quiet_when_all_is_well_and_loud_when_not(promtool: str) -> None:
    judged(promtool, "test", "rules", "rules_test.yaml")


def test_prometheus_takes_the_expressions_of_the_board(promtool: str, tmp_path: Path) -> None:
    recorded = [{"record": f"board:{n}", "expr": e} for n, e in enumerate(board_expressions())]
    (tmp_path / "board.yaml").write_text(json.dumps({"groups": [{"name": "board", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in judged(promtool, "check", "rules", "board.yaml", folder=tmp_path)
