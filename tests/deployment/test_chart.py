"""The chart as it is installed: for every environment, by two Helms, for three versions of Kubernetes."""

import os
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import helm_python
import pytest
from ruamel.yaml import YAML

from tests.deployment import chart_checks as checks
from tests.deployment.chart import (
    CHART,
    ENGINES,
    INSTALLATIONS,
    KUBERNETES,
    Object,
    binary,
    installed,
    invalid,
    notes,
    values_of,
)
from tests.deployment.network_checks import denial
from tests.deployment.pod_security import unrestricted
from tests.house.tree import ROOT, listed

CHECKS: tuple[Callable[[list[Object]], list[str]], ...] = (
    checks.selectors,
    checks.ports,
    checks.probes,
    checks.variables,
    checks.secrets,
    checks.references,
    checks.limits,
    checks.patience,
    checks.monitors,
    checks.scaling,
    unrestricted,
)
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_installation = pytest.mark.parametrize("name", INSTALLATIONS)


def one(objects: list[Object], kind: str, name: str = "rel-cronzimus") -> Object:
    (found,) = [found for found in checks.of_kind(objects, kind) if found["metadata"]["name"] == name]
    return found


def container(objects: list[Object], name: str) -> Object:
    found = [each for _, _, template in checks.pods(objects) for each in checks.containers(template)]
    return next(each for each in found if each["name"] == name)


def env(objects: list[Object], name: str) -> dict[str, str | None]:
    return {variable["name"]: variable.get("value") for variable in container(objects, name)["env"]}


@each_engine
@each_installation
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_objects_fit_together(check: Callable[[list[Object]], list[str]], name: str, engine: str) -> None:
    faults = check(installed(name, engine))
    assert faults == [], listed(faults)


@each_engine
@pytest.mark.parametrize("name", sorted(INSTALLATIONS.keys() - {"bare"}))
def test_networks_are_closed(name: str, engine: str) -> None:
    faults = denial(installed(name, engine))
    assert faults == [], listed(faults)


@each_engine
@each_installation
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_would_take_them(version: str, name: str, engine: str) -> None:
    faults = invalid(installed(name, engine), version)
    assert faults == [], listed(faults)


@each_installation
def test_both_helms_agree(name: str) -> None:
    assert installed(name, "library") == installed(name, "binary")


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_lint_has_nothing_to_say(name: str) -> None:
    report = helm_python.lint(CHART, INSTALLATIONS[name], strict=True)
    loud = [message for message in report["messages"] if message["severity"] > 1]
    assert (loud, report["errors"]) == ([], [])


def test_the_other_helm_lints() -> None:
    done = subprocess.run(
        [binary(), "lint", "--strict", str(CHART)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, "0 chart(s) failed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_package_carries_the_values(tmp_path: Path) -> None:
    with tarfile.open(helm_python.package(CHART, destination=tmp_path)) as package:
        member = package.extractfile("cronzimus/values.yaml")
        assert member and member.read() == (CHART / "values/values.yaml").read_bytes()


def test_the_chart_is_of_this_version() -> None:
    said = YAML(typ="safe").load((CHART / "Chart.yaml").read_text("utf-8"))
    version = (ROOT / "VERSION").read_text("utf-8").strip()
    assert (said["apiVersion"], said["appVersion"], said["version"]) == ("v2", version, version)


def test_the_values_of_helm_are_the_base() -> None:
    assert (CHART / "values.yaml").read_bytes() == (CHART / "values/values.yaml").read_bytes()


@pytest.mark.parametrize(
    ("name", "environment"), [("default", "production"), ("stage", "staging"), ("prod", "production")]
)
def test_pods_know_their_environment(name: str, environment: str) -> None:
    objects = installed(name)
    assert [env(objects, pod)["CRONZIMUS_ENV"] for pod in ("web", "worker", "migration")] == [environment] * 3


@pytest.mark.parametrize(("name", "secret"), [("stage", "cronzimus-stage"), ("prod", "cronzimus-prod")])
def test_secrets_are_files_of_the_secret_named(name: str, secret: str) -> None:
    objects = installed(name)
    assert env(objects, "web")["DATABASE_URL_FILE"] == "/run/secrets/cronzimus/database-url"
    assert env(objects, "web")["CRONZIMUS_API_TOKEN_FILE"] == "/run/secrets/cronzimus/api-token"
    for pod, _, template in checks.pods(objects):
        (volume,) = [found["secret"] for found in template["spec"]["volumes"] if found["name"] == "secrets"]
        keys = ["database-url", "api-token"] if pod == "Deployment rel-cronzimus" else ["database-url"]
        assert (volume["secretName"], [item["path"] for item in volume["items"]]) == (secret, keys)
        # Readable by the owner and by fsGroup, by nobody else.
        assert volume["defaultMode"] == 0o440


@pytest.mark.parametrize("name", ["default", "stage", "prod"])
def test_resources_are_those_of_the_values(name: str) -> None:
    objects, base = installed(name), values_of("values")
    for component in ("web", "worker"):
        given = {**base[component], **INSTALLATIONS[name].get(component, {})}
        assert container(objects, component)["resources"] == given["resources"]
        assert env(objects, component)["CRONZIMUS_WORKER__MAX_CONCURRENT_TASKS"] == str(given["concurrency"])
    assert one(objects, "Deployment")["spec"]["replicas"] == {"default": 2, "stage": 2, "prod": 3}[name]


@each_installation
def test_rollouts_never_go_below(name: str) -> None:
    for found in checks.of_kind(installed(name), "Deployment"):
        assert found["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_who_migrates_is_said_once() -> None:
    migrated = env(installed("default"), "web")["CRONZIMUS_DATABASE__AUTO_MIGRATE"]
    alone = env(installed("bare"), "web")["CRONZIMUS_DATABASE__AUTO_MIGRATE"]
    assert (migrated, alone) == ("false", "true")
    assert checks.of_kind(installed("bare"), "Job") == []


def test_the_migration_comes_before_everything() -> None:
    job = one(installed("default"), "Job", "rel-cronzimus-migration")
    assert job["metadata"]["annotations"][checks.HOOK] == "pre-install,pre-upgrade"
    assert container(installed("default"), "migration")["command"] == ["cronzimus", "db", "upgrade"]


def test_a_change_of_the_configuration_replaces_pods() -> None:
    def sums(name: str) -> set[str]:
        found = [owner for _, owner, _ in checks.pods(installed(name)) if owner["kind"] == "Deployment"]
        return {each["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for each in found}

    assert len(sums("default")) == len(sums("everything")) == 1 and sums("default") != sums("everything")


def test_web_listens_until_it_is_forgotten() -> None:
    """gunicorn closes its socket at SIGTERM, so the pause must come before."""
    assert container(installed("default"), "web")["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_probes_are_those_of_health() -> None:
    web = container(installed("default"), "web")
    asked = {
        name: web[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


@pytest.mark.parametrize(("age", "sound"), [(0, True), (30, True), (90, False), (None, False)])
def test_a_worker_is_sound_while_its_file_is_fresh(tmp_path: Path, age: int | None, sound: bool) -> None:
    worker, file = container(installed("default"), "worker"), tmp_path / "worker.health"
    assert worker["command"][-2:] == ["--health-file", "/tmp/worker.health"]
    if age is not None:
        file.touch()
        os.utime(file, times=(time.time() - age,) * 2)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        *shell, script = worker[probe]["exec"]["command"]
        script = script.replace("/tmp/worker.health", str(file))
        done = subprocess.run([*shell, script], capture_output=True, timeout=10)
        assert (done.returncode == 0) is sound


def test_workers_scale_by_what_waits() -> None:
    spec = one(installed("everything"), "HorizontalPodAutoscaler", "rel-cronzimus-worker")["spec"]
    external = spec["metrics"][0]["external"]
    assert (external["metric"], external["target"]) == (
        {"name": "cronzimus_queue_depth"},
        {"type": "AverageValue", "averageValue": "10"},
    )
    assert "`cronzimus_queue_depth`" in (ROOT / "docs/metrics.md").read_text("utf-8")


def test_wishes_reach_the_pods() -> None:
    objects = installed("everything")
    web = one(objects, "Deployment")["spec"]["template"]
    assert (
        web["metadata"]["labels"]["team"] == "shop"
        and web["metadata"]["annotations"]["example.org/note"] == "web"
    )
    assert (
        web["spec"]["priorityClassName"] == "high" and web["spec"]["nodeSelector"] and web["spec"]["affinity"]
    )
    assert env(objects, "worker")["CRONZIMUS_WORKER__QUEUES"] == '["reports","mail"]'
    for name, _, template in checks.pods(objects):
        (each,) = checks.containers(template)
        assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        assert each["image"].endswith("@sha256:" + "a" * 64)
        assert each["envFrom"] == [{"secretRef": {"name": "shop"}}], name
        assert {"name": "ca", "mountPath": "/etc/db", "readOnly": True} in each["volumeMounts"]
        assert {"name": "PGSSLROOTCERT", "value": "/etc/db/ca.crt"} in each["env"]


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_notes_say_where_to_look(name: str) -> None:
    text = notes(INSTALLATIONS[name])
    where = "https://cron.example.org/" if name == "everything" else "port-forward service/"
    assert where in text and "\n\n\n" not in text and "%!" not in text
