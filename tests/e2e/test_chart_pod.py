"""The rendered pods run: what the chart says to Kubernetes, said to podman, with the image in TEST_IMAGE."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deployment.chart import render
from tests.deployment.chart_checks import of_kind
from tests.e2e.postgres import Postgres
from tests.e2e.supervised import IMAGE, TOKEN, House
from tests.e2e.waiting import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not IMAGE, reason="no TEST_IMAGE: an image of Cronzimus"),
]

PODMAN = os.environ.get("TEST_ENGINE", "podman")
PORT = "5000"
SECRET = "cronzimus-secrets"


def for_podman(objects: list[dict[str, Any]], secret: dict[str, str]) -> list[dict[str, Any]]:
    """What podman 4 understands of the rendered objects.

    It has no Services, so the pod is on this machine's network, where it refuses port mappings. A mounted Secret it
    writes as base64, so the values come from a config map.
    """
    deployments = of_kind(objects, "Deployment")
    for deployment in deployments:
        deployment["spec"]["replicas"] = 1
        pod = deployment["spec"]["template"]["spec"]
        pod["hostNetwork"] = True
        for container in pod["containers"]:
            container.pop("ports", None)
        for volume in pod["volumes"]:
            if "secret" in volume:
                volume["configMap"] = {"name": volume.pop("secret")["secretName"]}
    values = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SECRET}, "data": secret}
    return [values, *of_kind(objects, "ConfigMap"), *deployments]


@pytest.fixture
def pods(tmp_path: Path, calm_postgres: Postgres) -> Iterator[House]:
    """One pod of each Deployment of the chart, on a database of this test's own."""
    repository, _, tag = str(IMAGE).rpartition(":")
    values = {
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "existingSecret": SECRET,
        "migration": {"enabled": False},
    }
    secret = {"database-url": calm_postgres.url(calm_postgres.create_database()), "api-token": TOKEN}
    document = tmp_path / "pods.yaml"
    with document.open("w") as file:
        YAML(typ="safe").dump_all(for_podman(render("library", values), secret), file)
    played = subprocess.run([PODMAN, "play", "kube", document], capture_output=True, text=True, timeout=60)
    try:
        assert played.returncode == 0, played.stderr
        yield House(PORT)
    finally:
        subprocess.run([PODMAN, "play", "kube", "--down", document], capture_output=True, timeout=60)


def test_rendered_pods_serve_fire_and_execute(pods: House) -> None:
    pods.wait_whole(60)
    every_second = {
        "trigger": {"type": "interval", "seconds": 1},
        "kind": "sql",
        "params": {"statement": "SELECT 1"},
    }
    for where in ("scheduler", "workers"):
        status, said = pods.ask("/api/v1/jobs", {"id": where, "runs_on": where, **every_second})
        assert status == 201, said
        until(lambda where=where: ended(pods, where) >= 2, 20, f"two runs on {where}")


def ended(pods: House, job_id: str) -> int:
    """Runs of a job that ended well."""
    return int(pods.ask(f"/api/v1/runs?job_id={job_id}&state=success")[1]["total"])
