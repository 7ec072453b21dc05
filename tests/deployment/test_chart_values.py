"""Wrong values are refused before anything is made, and the refusal names the place."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deployment.chart import CHART, ENGINES, Refused, Values, render, values_of
from tests.deployment.chart_checks import of_kind
from tests.house.tree import ROOT, listed

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
# Objects as Kubernetes writes them: it checks them itself.
KUBERNETES_OWN = {"affinity", "podSelector", "namespaceSelector", "valueFrom", "global"}

WRONG: list[tuple[Values, str]] = [
    ({"environment": "qa"}, "environment"),
    ({"environment": "development"}, "environment"),
    ({"replicaCount": 3}, "replicaCount"),
    ({"web": {"replica": 3}}, "replica"),
    ({"web": {"replicas": "three"}}, "replicas"),
    ({"web": {"resources": {"limits": {"cpu": "lots"}}}}, "cpu"),
    ({"worker": {"concurrency": 0}}, "concurrency"),
    ({"worker": {"autoscaling": {"minReplica": 1}}}, "minReplica"),
    (
        {"worker": {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 2}}},
        "worker.autoscaling",
    ),
    ({"drainSeconds": -1}, "drainSeconds"),
    ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    ({"image": {"digest": "sha256:abc"}}, "digest"),
    ({"image": {"repository": ""}}, "image.repository"),
    ({"existingSecret": ""}, "existingSecret"),
    ({"existingSecret": None}, "existingSecret"),
    ({"existingSecret": "Not A Name"}, "existingSecret"),
    ({"config": {"job.yaml": {}}}, "job.yaml"),
    ({"config": {"production.toml": {"worker": {}}}}, "production.toml"),
    ({"extraEnv": [{"name": "CRONZIMUS_ENV", "value": "development"}]}, "extraEnv"),
    ({"extraEnv": [{"name": "DATABASE_URL", "value": "postgresql://a:b@db/c"}]}, "extraEnv"),
    ({"extraEnv": [{"name": "CRONZIMUS_API_TOKEN", "value": "x"}]}, "extraEnv"),
    ({"extraVolumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "extraVolumes"),
    ({"service": {"port": 70000}}, "port"),
    ({"service": {"type": "ExternalName"}}, "type"),
    ({"ingress": {"enabled": True}}, "ingress.hosts"),
    ({"networkPolicy": {"database": {"to": []}}}, "to"),
    ({"networkPolicy": {"egress": [{"to": [{"cidr": "10.0.0.0/8"}]}]}}, "ports"),
    ({"networkPolicy": {"egress": [{"to": [{"cidr": "10.0.0.0"}], "ports": [443]}]}}, "cidr"),
    (
        {"networkPolicy": {"egress": [{"to": [{"cidr": "10.0.0.0/8", "podSelector": {}}], "ports": [443]}]}},
        "to",
    ),
    (
        {"networkPolicy": {"egress": [{"to": [{"cidr": "169.254.169.254/32"}], "ports": [80]}]}},
        "metadata address",
    ),
    (
        {"networkPolicy": {"egress": [{"to": [{"cidr": "FD00:EC2::254/128"}], "ports": [80]}]}},
        "metadata address",
    ),
    ({"serviceMonitor": {"interval": "often"}}, "interval"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("values", "place"), WRONG, ids=[json.dumps(values)[:60] for values, _ in WRONG])
def test_wrong_values_are_refused(values: Values, place: str, engine: str) -> None:
    with pytest.raises(Refused, match=place.replace(".", r"\.")):
        render(engine, values)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_secret_is_told_in_a_sentence(engine: str) -> None:
    with pytest.raises(
        Refused, match="name a Secret of this namespace with the keys database-url and api-token"
    ):
        render(engine, {"existingSecret": ""})


def test_an_unknown_environment_is_refused_without_the_schema_too(tmp_path: Path) -> None:
    """Some tools tell Helm to skip it."""
    chart = shutil.copytree(CHART, tmp_path / "k8s")
    (chart / "values.schema.json").unlink()
    assert render("library", {"environment": "staging"}, chart)
    with pytest.raises(Refused, match='environment: "qa" is not known; it must be staging or production'):
        render("library", {"environment": "qa"}, chart)


@pytest.mark.parametrize(
    ("cidr", "exceptions"),
    [
        ("0.0.0.0/0", ["169.254.169.254/32"]),
        ("128.0.0.0/1", ["169.254.169.254/32"]),
        ("169.254.0.0/16", ["169.254.169.254/32"]),
        ("169.254.1.2/16", ["169.254.169.254/32"]),
        ("169.254.169.254/31", ["169.254.169.254/32"]),
        ("169.254.169.252/32", None),
        ("169.254.170.0/24", None),
        ("0.0.0.0/1", None),
        ("10.0.0.0/8", None),
        ("::/0", ["fd00:ec2::254/128"]),
        ("2001:db8::/32", None),
    ],
)
def test_ranges_leave_the_metadata_address_out(cidr: str, exceptions: list[str] | None) -> None:
    objects = render("library", {"networkPolicy": {"egress": [{"to": [{"cidr": cidr}], "ports": [443]}]}})
    rule = of_kind(objects, "NetworkPolicy")[0]["spec"]["egress"][-1]
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]
    assert rule["to"] == [{"ipBlock": {"cidr": cidr} | ({"except": exceptions} if exceptions else {})}]


def examples() -> list[Values]:
    """The values that the page of Kubernetes shows."""
    page = (ROOT / "docs/deployment/kubernetes.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [YAML(typ="safe").load(block) for block in blocks if not block.startswith("externalRules")]


def test_the_page_shows_values_that_the_chart_takes() -> None:
    shown = [values for values in examples() if render("library", values) != render("library", {})]
    assert len(shown) == len(examples()) == 3


def loose(node: Any, path: str = "") -> list[str]:
    """Maps of ours that let unknown keys through, and what is not described."""
    faults = []
    if not isinstance(node, dict):
        return faults
    if (
        node.get("type") == "object"
        and "properties" in node
        and node.get("additionalProperties") is not False
    ):
        faults.append(f"{path}: takes unknown keys")
    for name, inner in {**node.get("properties", {}), **node.get("definitions", {})}.items():
        if "description" not in inner and "$ref" not in inner:
            faults.append(f"{path}.{name}: not described")
        bare = inner.get("type") == "object" and not inner.keys() & {"properties", "additionalProperties"}
        if bare and name not in KUBERNETES_OWN:
            faults.append(f"{path}.{name}: takes anything")
        faults += loose(inner, f"{path}.{name}")
    return faults + loose(node.get("items"), f"{path}[]")


def test_the_schema_is_strict() -> None:
    faults = loose(SCHEMA)
    assert faults == [], listed(faults)


def test_the_schema_would_be_found_loose() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "object"}, "b": {"items": {"type": "object", "properties": {}}}},
    }
    assert len(loose(schema)) == 5


def unknown(values: Values, schema: dict[str, Any], path: str = "") -> list[str]:
    """Keys of the schema that the base does not show: who reads the values should find every one."""
    known = schema.get("properties", {})
    missing = [
        f"{path}{name}"
        for name in known
        if name not in values and name not in {"ephemeral-storage", "global"}
    ]
    for name, inner in known.items():
        if isinstance(values.get(name), dict):
            missing += unknown(values[name], inner, f"{path}{name}.")
    return missing


def test_the_base_shows_every_value() -> None:
    missing = unknown(values_of("values"), SCHEMA)
    assert missing == [], listed(missing)
