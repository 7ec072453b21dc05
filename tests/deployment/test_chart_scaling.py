"""The rule by which workers scale, as the page of Kubernetes tells it, judged by Prometheus' own tool."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deployment.chart import installed
from tests.deployment.chart_checks import of_kind
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/deployment/kubernetes.md").read_text("utf-8")
METRICS = (ROOT / "docs/metrics.md").read_text("utf-8")


def rule() -> dict[str, Any]:
    (block,) = re.findall(r"^```yaml\n(externalRules:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = YAML(typ="safe").load(block)["externalRules"]
    return dict(found)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    told = ",".join(f'{label}="{value}"' for label, value in {"namespace": "cron", **labels}.items())
    return {"series": f"{name}{{{told}}}", "values": values}


def depth(queue: str, replica: str, values: str, namespace: str = "cron") -> dict[str, str]:
    return series("cronzimus_queue_depth", values, queue=queue, instance=replica, namespace=namespace)


LEADS = [series("cronzimus_leader_present", "1x5", instance=replica) for replica in "ab"]


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (
            [
                *LEADS,
                depth("x", "a", "3x5"),
                depth("x", "b", "3x5"),
                depth("y", "a", "5x5"),
                depth("y", "b", "4x5"),
            ],
            8,
        ),
        ([*LEADS, depth("x", "a", "7x5", namespace="other")], 0),
        (LEADS, 0),
        ([], None),
    ],
    ids=["what waits, once", "not of others", "nothing waits", "nobody is asked"],
)
def test_the_rule_tells_what_waits(tmp_path: Path, told: list[dict[str, str]], answer: int | None) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus; it judges the rule")
    expression = rule()["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="cron"')
    samples = [] if answer is None else [{"labels": "{}", "value": answer}]
    asked = {"expr": expression, "eval_time": "3m", "exp_samples": samples}
    test = {"interval": "1m", "input_series": told, "promql_expr_test": [asked]}
    (tmp_path / "test.yaml").write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}), "utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_serves_what_the_chart_asks_for() -> None:
    (scaler,) = of_kind(installed("everything"), "HorizontalPodAutoscaler")
    assert scaler["spec"]["metrics"][0]["external"]["metric"]["name"] == rule()["name"]["as"]
    spoken = set(re.findall(r"cronzimus_\w+", rule()["seriesQuery"] + rule()["metricsQuery"]))
    assert {name for name in spoken if f"`{name}`" not in METRICS} == set()


def test_discovery_is_by_what_is_always_there() -> None:
    """A gauge without labels has a series on every scrape; the depth has none where nothing waits."""
    name = rule()["seriesQuery"].partition("{")[0]
    assert re.search(rf"^\| `{name}` \| gauge \| \|", METRICS, re.MULTILINE)
