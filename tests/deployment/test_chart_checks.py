"""The checks of the chart can fail: each finds the fault that is put into sound objects."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.deployment import chart_checks as checks
from tests.deployment.chart import Object, documents, installed, invalid
from tests.deployment.network_checks import denial
from tests.deployment.pod_security import unrestricted

Check = Callable[[list[Object]], list[str]]
Break = Callable[[dict[str, Object]], Any]


def named(objects: list[Object]) -> dict[str, Object]:
    """Objects by kind and the end of their name: `Deployment`, `Deployment worker`."""
    return {
        f"{one['kind']} {one['metadata']['name'].removeprefix('rel-cronzimus').strip('-')}".strip(): one
        for one in objects
    }


def pod(found: dict[str, Object], name: str = "Deployment") -> Any:
    return found[name]["spec"]["template"]["spec"]


def first(found: dict[str, Object], name: str = "Deployment") -> Any:
    return pod(found, name)["containers"][0]


def own(found: dict[str, Object]) -> Any:
    return first(found)["securityContext"]


def the_dead_selector(found: dict[str, Object]) -> None:
    """A chart that was once published: its Service asks for `app`, its pods are called `name`."""
    found["Service"]["spec"]["selector"] = {"app": "cronzimus"}


def out(found: dict[str, Object]) -> Any:
    return found["NetworkPolicy"]["spec"]["egress"]


BROKEN: list[tuple[Check, Break, str]] = [
    (checks.selectors, the_dead_selector, "Service"),
    (checks.selectors, lambda found: found["Service"]["spec"].update(selector={}), "Service"),
    (
        checks.selectors,
        lambda found: found["PodDisruptionBudget web"]["spec"]["selector"]["matchLabels"].update(a="b"),
        "PodD",
    ),
    (
        checks.selectors,
        lambda found: found["NetworkPolicy web"]["spec"]["podSelector"]["matchLabels"].update(a="b"),
        "Netw",
    ),
    (
        checks.selectors,
        lambda found: found["Deployment"]["spec"]["selector"]["matchLabels"].update(a="b"),
        "owns []",
    ),
    (
        checks.selectors,
        lambda found: found["Deployment"]["spec"]["selector"]["matchLabels"].pop(
            "app.kubernetes.io/component"
        ),
        "Deployment rel-cronzimus-worker",
    ),
    (
        checks.selectors,
        lambda found: pod(found)["topologySpreadConstraints"][0]["labelSelector"].update(
            matchLabels={"a": "b"}
        ),
        "not its own",
    ),
    (
        checks.ports,
        lambda found: found["Service"]["spec"]["ports"][0].update(targetPort="web"),
        "nobody listens",
    ),
    (
        checks.ports,
        lambda found: found["NetworkPolicy web"]["spec"]["ingress"][0]["ports"][0].update(port=80),
        "nobody",
    ),
    (checks.ports, lambda found: first(found)["ports"][0].update(containerPort=8080), "8080"),
    (
        checks.ports,
        lambda found: found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(
            name="x"
        ),
        "x",
    ),
    (
        checks.probes,
        lambda found: first(found)["livenessProbe"]["httpGet"].update(path="/healthz"),
        "/healthz",
    ),
    (checks.probes, lambda found: first(found)["livenessProbe"]["httpGet"].update(port=8080), "8080"),
    (
        checks.probes,
        lambda found: first(found, "Deployment worker").pop("readinessProbe"),
        "no readinessProbe",
    ),
    (
        checks.variables,
        lambda found: first(found)["env"].append({"name": "CRONZIMUS_SERVER__PROT", "value": "1"}),
        "PROT",
    ),
    (
        checks.variables,
        lambda found: first(found)["env"].append({"name": "CRONZIMUS_SERVER__THREADS", "value": "x"}),
        "integer",
    ),
    (
        checks.variables,
        lambda found: first(found)["env"].append({"name": "CRONZIMUS_ENV", "value": "staging"}),
        "twice",
    ),
    (
        checks.variables,
        lambda found: first(found)["env"].append({"name": "DATABASE_URL", "value": "x"}),
        "secret",
    ),
    (
        checks.secrets,
        lambda found: found.update(Secret={"kind": "Secret", "metadata": {"name": "s"}, "data": {}}),
        "Secret s",
    ),
    (
        checks.secrets,
        lambda found: first(found)["env"].append(
            {"name": "URL", "value": "postgresql://u:" + "pw1@db.shop.net/x"}
        ),
        "a password in a URL",
    ),
    (
        checks.secrets,
        lambda found: first(found)["env"].append({"name": "SMTP_PASSWORD", "value": "k3jf8s9dk2lq0x7v"}),
        "secret",
    ),
    (
        checks.secrets,
        lambda found: found["ConfigMap"]["data"].update({"config.yaml": "a: 1\ntoken: 'k3jf8s9dk2lq0x7v'"}),
        "secret",
    ),
    (checks.references, lambda found: pod(found)["volumes"].pop(), "no volume"),
    (checks.references, lambda found: first(found)["volumeMounts"].pop(), "nobody mounts"),
    (checks.references, lambda found: found.pop("ConfigMap"), "ConfigMap"),
    (checks.references, lambda found: found.pop("ServiceAccount"), "ServiceAccount"),
    (
        checks.references,
        lambda found: pod(found, "Job migration").update(serviceAccountName="rel-cronzimus"),
        "not there yet",
    ),
    (checks.limits, lambda found: first(found)["resources"]["limits"].pop("memory"), "limits.memory"),
    (checks.limits, lambda found: first(found, "Job migration").pop("resources"), "requests.cpu"),
    (checks.patience, lambda found: pod(found).update(terminationGracePeriodSeconds=35), "needs 35"),
    (checks.monitors, lambda found: found["Service"]["metadata"]["labels"].clear(), "no port"),
    (
        checks.monitors,
        lambda found: found["ServiceMonitor"]["spec"]["endpoints"][0].update(path="/prometheus"),
        "no route",
    ),
    (
        checks.monitors,
        lambda found: found["ServiceMonitor"]["spec"]["endpoints"][0].pop("authorization"),
        "no token",
    ),
    (checks.scaling, lambda found: found.pop("Deployment worker"), "no Deployment"),
    (checks.scaling, lambda found: found["Deployment worker"]["spec"].update(replicas=2), "number too"),
    (checks.scaling, lambda found: found["Deployment"]["spec"].pop("replicas"), "nobody says"),
    (
        denial,
        lambda found: found["NetworkPolicy"]["spec"].update(policyTypes=["Ingress"]),
        "nothing closes",
    ),
    (
        denial,
        lambda found: found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].update(a="b"),
        "nothing closes",
    ),
    (denial, lambda found: out(found)[0].pop("to"), "every one"),
    (denial, lambda found: out(found)[0].pop("ports"), "every one"),
    (denial, lambda found: out(found)[0]["to"][0]["ipBlock"].pop("except"), "169.254.169.254"),
    (denial, lambda found: out(found)[0]["to"][1]["ipBlock"].pop("except"), "fd00:ec2::254"),
    (unrestricted, lambda found: pod(found).update(hostNetwork=True), "hostNetwork"),
    (
        unrestricted,
        lambda found: pod(found)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
        "hostPath",
    ),
    (unrestricted, lambda found: pod(found)["volumes"][0]["emptyDir"].clear(), "/tmp"),
    (
        unrestricted,
        lambda found: pod(found)["securityContext"].update(sysctls=[{"name": "kernel.msgmax"}]),
        "sysctl",
    ),
    (unrestricted, lambda found: pod(found)["securityContext"].update(runAsUser=0), "user 0"),
    (unrestricted, lambda found: pod(found, "Job migration").pop("automountServiceAccountToken"), "Job rel"),
    (unrestricted, lambda found: own(found).update(privileged=True), "privileged"),
    (unrestricted, lambda found: own(found).pop("allowPrivilegeEscalation"), "escalation"),
    (unrestricted, lambda found: own(found).update(runAsNonRoot=False), "may be root"),
    (unrestricted, lambda found: own(found).update(seccompProfile={"type": "Unconfined"}), "seccomp"),
    (unrestricted, lambda found: own(found)["capabilities"].update(drop=["NET_RAW"]), "capabilities"),
    (unrestricted, lambda found: own(found)["capabilities"].update(add=["SYS_ADMIN"]), "capabilities"),
    (unrestricted, lambda found: own(found).update(readOnlyRootFilesystem=False), "write its root"),
    (unrestricted, lambda found: own(found).update(runAsUser=1000), "10001"),
    (unrestricted, lambda found: own(found).update(procMount="Unmasked"), "procMount"),
    (unrestricted, lambda found: own(found).update(seLinuxOptions={"type": "spc_t"}), "SELinux"),
    (unrestricted, lambda found: own(found).update(seLinuxOptions={"user": "root"}), "SELinux"),
    (unrestricted, lambda found: own(found).update(appArmorProfile={"type": "Unconfined"}), "AppArmor"),
    (unrestricted, lambda found: own(found).update(windowsOptions={"hostProcess": True}), "hostProcess"),
    (unrestricted, lambda found: first(found)["ports"][0].update(hostPort=80), "port of the host"),
    (unrestricted, lambda found: first(found)["livenessProbe"]["httpGet"].update(host="h"), "another host"),
    (unrestricted, lambda found: pod(found).update(initContainers=[{"name": "init"}]), "init: "),
]


@pytest.mark.parametrize(
    ("check", "damage", "word"), BROKEN, ids=[f"{one[0].__name__}-{one[2]}" for one in BROKEN]
)
def test_a_fault_is_found(check: Check, damage: Break, word: str) -> None:
    found = named(installed("everything"))
    assert check([*found.values()]) == []
    damage(found)
    faults = check([*found.values()])
    assert [fault for fault in faults if word in fault], faults


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda found: found["Deployment"]["spec"].update(replica=3), "replica"),
        (lambda found: first(found)["ports"][0].update(containerPort="5000"), "5000"),
        (lambda found: found["Service"].update(kind="Sevice"), "Sevice"),
        (
            lambda found: found["HorizontalPodAutoscaler worker"].update(apiVersion="autoscaling/v2beta2"),
            "v2beta2",
        ),
    ],
)
def test_what_kubernetes_refuses_is_found(damage: Break, word: str) -> None:
    found = named(installed("everything"))
    assert invalid([*found.values()], "1.32") == []
    damage(found)
    assert [fault for fault in invalid([*found.values()], "1.32") if word in fault]


def test_objects_are_read_as_kubernetes_reads_them() -> None:
    assert documents("---\na: no\nb: 0440\n---\n# nothing\n") == [{"a": False, "b": 288}]
