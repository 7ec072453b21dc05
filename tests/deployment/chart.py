"""The chart of k8s/, rendered by two Helms: the engine of Helm 4 as a library, and a `helm` where one is found."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from tests.house.tree import ROOT

CHART = ROOT / "k8s"
RELEASE, NAMESPACE = "rel", "jobs"
ENGINES = ("library", "binary")
# The oldest the chart is made for, one of the middle, and the newest the schemas know.
KUBERNETES = ("1.27", "1.32", "1.37")

Values = dict[str, Any]
Object = dict[str, Any]

_EVERYTHING: Values = {
    "image": {"repository": "registry.example.org/cronzimus", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "registry"}],
    "jobSecret": "shop-jobs",
    "config": {
        "config.yaml": {"scheduler": {"timezone": "Europe/Berlin"}, "history": {"log_bytes": 10485760}},
        "jobs.yaml": {
            "jobs": {
                "enrich": {
                    "kind": "http",
                    "params": {"url": "https://shop.example.org/NO", "method": "POST"},
                    "trigger": {"type": "cron", "expression": "0 2 * * 1-5"},
                }
            }
        },
        "production.toml": '[worker]\nallowed_commands = ["/usr/local/bin/backup"]\n',
    },
    "web": {
        "podLabels": {"team": "shop"},
        "podAnnotations": {"example.org/note": "web"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "priorityClassName": "high",
        "trustedProxies": 1,
    },
    "worker": {"queues": ["reports", "mail"], "autoscaling": {"enabled": True, "cpuPercent": 80}},
    "extraEnv": [{"name": "PGSSLROOTCERT", "value": "/etc/db/ca.crt"}],
    "extraEnvFrom": [{"secretRef": {"name": "shop"}}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/db", "readOnly": True}],
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "hosts": ["cron.example.org"],
        "tlsSecret": "cron-tls",
        "annotations": {"example.org/buffering": "off"},
    },
    "serviceAccount": {"annotations": {"example.org/role": "cron"}},
    "networkPolicy": {
        "egress": [{"to": [{"cidr": "0.0.0.0/0"}, {"cidr": "10.0.0.0/8"}], "ports": [443, 587]}]
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
}


def values_of(name: str) -> Values:
    """The values file of that name beside the base."""
    found: Values = YAML(typ="safe").load((CHART / "values" / f"{name}.yaml").read_text("utf-8"))
    return found


# Every way in which the chart is installed here; `bare` is with all taken away that can be.
INSTALLATIONS: Mapping[str, Values] = {
    "default": {},
    "stage": values_of("yondu-stage"),
    "prod": values_of("yondu-prod"),
    "everything": _EVERYTHING,
    "bare": {
        "config": {"config.yaml": ""},
        "fullnameOverride": "cron",
        "worker": {"enabled": False},
        "migration": {"enabled": False},
        "serviceAccount": {"create": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
    },
}


class Refused(Exception):
    """The chart was not rendered, and why."""


def documents(text: str) -> list[Object]:
    """The objects of a stream, read as Kubernetes does: YAML 1.1, where `no` is false and 22:30 a number."""
    return [
        found for one in re.split(r"^---.*$", text, flags=re.MULTILINE) if (found := _old_yaml().load(one))
    ]


def _old_yaml() -> YAML:
    """For one document: at a second one the reader forgets its version."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml


def binary() -> str:
    """The `helm` of TEST_HELM, else of PATH; without one the test is skipped and says so."""
    found = os.environ.get("TEST_HELM") or shutil.which("helm")
    if not found:
        pytest.skip("no helm: neither TEST_HELM nor PATH names one")
    return found


def render(engine: str, values: Values, chart: Path = CHART) -> list[Object]:
    """The objects of an installation, in one order. Raises Refused."""
    texts = _by_library(chart, values) if engine == "library" else [_by_binary(chart, values)]
    objects = [one for text in texts for one in documents(text)]
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"]))


def installed(name: str, engine: str = "library") -> list[Object]:
    """The objects of one of INSTALLATIONS; a copy, which the caller may break."""
    if engine == "binary":
        binary()
    copy: list[Object] = json.loads(_installed(name, engine))
    return copy


@cache
def _installed(name: str, engine: str) -> str:
    return json.dumps(render(engine, INSTALLATIONS[name]))


def notes(values: Values) -> str:
    """What an operator reads after the installation."""
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    return next(text for path, text in texts.items() if path.endswith("NOTES.txt"))


def _by_library(chart: Path, values: Values) -> Iterator[str]:
    with helm_python.Chart.load(chart) as loaded:
        try:
            texts = loaded.render(values, name=RELEASE, namespace=NAMESPACE)
        except helm_python.HelmError as error:
            raise Refused(str(error)) from None
    return (text for path, text in texts.items() if not path.endswith("NOTES.txt"))


def _by_binary(chart: Path, values: Values) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        command = [binary(), "template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", file.name]
        done = subprocess.run(
            [*command, "--kube-version", "1.30.0"], capture_output=True, text=True, timeout=60
        )
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def invalid(objects: list[Object], version: str) -> list[str]:
    """What the API server of that version would refuse; nothing unknown passes."""
    return [fault for one in objects for fault in _invalid(one, version)]


def _invalid(one: Object, version: str) -> Iterator[str]:
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{one['kind']} {one['metadata'].get('name')}: {'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        # Kinds of an operator are checked by hand: chart_checks.monitors.
        if one["kind"] != "ServiceMonitor":
            yield error.message
