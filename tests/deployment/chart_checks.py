"""What rendered objects must have in common. Every check returns its faults in words; no fault is an empty list."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from cronzimus.app import create_app
from cronzimus.settings import Settings
from cronzimus.settings.keys import keys
from tests.deployment.chart import Object
from tests.house.secret_scan import findings

HOOK = "helm.sh/hook"
# Read by the configuration without being keys of it.
RESERVED = {"CRONZIMUS_ENV", "CRONZIMUS_CONFIG_PATH", "CRONZIMUS_API_TOKEN_FILE"}
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|DATABASE_URL|API_?KEY")
GUNICORN_MARGIN = 5
# What the operator of INSTALLATIONS brings, or the namespace has.
OPERATORS = {"default", "ca"}


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [one for one in objects if one["kind"] in kinds]


def pods(objects: Iterable[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Every pod there will be: what to call it, whose it is, its template."""
    for one in of_kind(objects, "Deployment", "Job", "StatefulSet", "DaemonSet", "CronJob"):
        yield f"{one['kind']} {one['metadata']['name']}", one, one["spec"]["template"]


def containers(template: Object) -> list[Object]:
    """All containers of a pod, whenever they run."""
    spec = template["spec"]
    return [one for kind in ("initContainers", "containers") for one in spec.get(kind, [])]


def is_hook(one: Object) -> bool:
    """Whether Helm makes it at a moment of its own, when the rest may not be there."""
    return HOOK in one["metadata"].get("annotations", {})


def hits(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a selector, which must not be empty, matches labels."""
    return bool(selector) and selector.items() <= labels.items()


@cache
def routes() -> frozenset[str]:
    """What the application answers to a GET."""
    rules = create_app(settings=Settings(), start=False).url_map.iter_rules()
    return frozenset(rule.rule for rule in rules if "GET" in (rule.methods or set()))


def selectors(objects: list[Object]) -> list[str]:
    """Selectors that match nothing, or more than they should."""
    labels = {name: template["metadata"]["labels"] for name, _, template in pods(objects)}
    return [
        *_of_deployments(objects, labels),
        *_that_miss(objects, labels),
        *_of_spreading(objects),
    ]


def _of_deployments(objects: list[Object], labels: dict[str, dict[str, str]]) -> Iterator[str]:
    for one in of_kind(objects, "Deployment"):
        name, selector = f"Deployment {one['metadata']['name']}", one["spec"]["selector"]["matchLabels"]
        owned = [pod for pod, found in labels.items() if hits(selector, found)]
        if owned != [name]:
            yield f"{name}: its selector owns {owned}"


def _that_miss(objects: list[Object], labels: dict[str, dict[str, str]]) -> Iterator[str]:
    for one in of_kind(objects, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = one["spec"]
        selector = spec.get("selector", spec.get("podSelector", {}))
        selector = selector.get("matchLabels", selector if one["kind"] == "Service" else {})
        if not any(hits(selector, found) for found in labels.values()):
            yield f"{one['kind']} {one['metadata']['name']}: its selector {selector} hits no pod"


def _of_spreading(objects: list[Object]) -> Iterator[str]:
    for name, _, template in pods(objects):
        for rule in template["spec"].get("topologySpreadConstraints", []):
            if not hits(rule["labelSelector"]["matchLabels"], template["metadata"]["labels"]):
                yield f"{name}: spreads pods that are not its own"


def ports(objects: list[Object]) -> list[str]:
    """Ports that nobody listens on, and a container port that is not where the application listens."""
    offered = {
        port["name"]: port["containerPort"]
        for _, _, template in pods(objects)
        for container in containers(template)
        for port in container.get("ports", [])
    }
    services = {one["metadata"]["name"]: one["spec"]["ports"] for one in of_kind(objects, "Service")}
    asked = [port["targetPort"] for found in services.values() for port in found]
    asked += [
        port["port"]
        for policy in of_kind(objects, "NetworkPolicy")
        for rule in policy["spec"].get("ingress", [])
        for port in rule["ports"]
    ]
    faults = [f"nobody listens on {port!r}" for port in asked if port not in offered]
    default = Settings().server.port
    faults += [
        f"{name}: {port}, the application has {default}" for name, port in offered.items() if port != default
    ]
    return faults + [fault for one in of_kind(objects, "Ingress") for fault in _dead_backends(one, services)]


def _dead_backends(ingress: Object, services: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            names = {port["name"] for port in services.get(service["name"], [])}
            if service["port"]["name"] not in names:
                yield f"Ingress: {service['name']}:{service['port']['name']} is no port of a Service"


def probes(objects: list[Object]) -> list[str]:
    """Probes of routes the application does not have, ports the container does not have, and missing ones."""
    faults = []
    for name, owner, template in pods(objects):
        for container in containers(template):
            if owner["kind"] == "Deployment":
                wanted = ("startupProbe", "livenessProbe", "readinessProbe")
                faults += [f"{name}: no {probe}" for probe in wanted if probe not in container]
            gets = [
                probe["httpGet"]
                for key, probe in container.items()
                if key.endswith("Probe") and "httpGet" in probe
            ]
            names = {port["name"] for port in container.get("ports", [])}
            faults += [f"{name}: {get['path']} is no route" for get in gets if get["path"] not in routes()]
            faults += [f"{name}: {get['port']} is no port of it" for get in gets if get["port"] not in names]
    return faults


def variables(objects: list[Object]) -> list[str]:
    """Variables that are no setting, hold what the setting cannot be, are set twice, or tell a secret."""
    faults = []
    for name, _, template in pods(objects):
        for container in containers(template):
            seen: set[str] = set()
            for variable in container.get("env", []):
                faults += [f"{name}: {fault}" for fault in _of_variable(variable)]
                faults += [f"{name}: {variable['name']} is set twice"] * (variable["name"] in seen)
                seen.add(variable["name"])
    return faults


def _of_variable(variable: dict[str, Any]) -> Iterator[str]:
    name, value = variable["name"], variable.get("value")
    if value is not None and SECRET_NAME.search(name) and not name.endswith(("_FILE", "__DIR")):
        yield f"{name} tells its secret"
    if not name.startswith("CRONZIMUS_") or name in RESERVED:
        return
    key = keys().get(name.removeprefix("CRONZIMUS_").lower().replace("__", "."))
    if key is None:
        yield f"{name} is no setting"
    elif value is not None:
        try:
            key.convert(value)
        except ValueError as error:
            yield f"{name}: {error}"


def secrets(objects: list[Object]) -> list[str]:
    """Secrets in plain text."""
    faults = [f"Secret {one['metadata']['name']}: written down" for one in of_kind(objects, "Secret")]
    return faults + [f"{what}: {text}" for text in _texts(objects) for _, what in findings(text)]


def _texts(node: Any, name: str = "") -> Iterator[str]:
    """Every leaf as a line that an eye, or a scan, would find it on."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, str(key))
        if isinstance(node.get("value"), str):
            yield f'{node.get("name")}: "{node["value"]}"'
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value, name)
    else:
        yield f'{name}: "{node}"' if "\n" not in str(node) else str(node)


def references(objects: list[Object]) -> list[str]:
    """What pods need and nobody brings; a hook may need nothing of this chart."""
    made = {(one["kind"], one["metadata"]["name"]) for one in objects if not is_hook(one)}
    faults = []
    for name, owner, template in pods(objects):
        spec = template["spec"]
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        mounted = [
            mount["name"] for container in containers(template) for mount in container.get("volumeMounts", [])
        ]
        faults += [f"{name}: no volume {mount}" for mount in mounted if mount not in volumes]
        faults += [f"{name}: nobody mounts {volume}" for volume in volumes if volume not in mounted]
        needed = [("ServiceAccount", spec.get("serviceAccountName", "default"))]
        needed += [("ConfigMap", one["configMap"]["name"]) for one in volumes.values() if "configMap" in one]
        if is_hook(owner):
            faults += [
                f"{name}: {kind} {what} is not there yet" for kind, what in needed if (kind, what) in made
            ]
        else:
            lost = [
                (kind, what) for kind, what in needed if (kind, what) not in made and what not in OPERATORS
            ]
            faults += [f"{name}: {kind} {what} is nowhere" for kind, what in lost]
    return faults


def limits(objects: list[Object]) -> list[str]:
    """Containers without requests or limits, and requests above limits of the same unit."""
    faults = []
    for name, _, template in pods(objects):
        for container in containers(template):
            given = container.get("resources", {})
            wanted = [(part, what) for part in ("requests", "limits") for what in ("cpu", "memory")]
            faults += [
                f"{name}: no {part}.{what}" for part, what in wanted if what not in given.get(part, {})
            ]
    return faults


def patience(objects: list[Object]) -> list[str]:
    """Pods that are killed before they could have drained."""
    faults = []
    for name, owner, template in pods(objects):
        if owner["kind"] != "Deployment":
            continue
        (container,) = containers(template)
        env = {variable["name"]: variable.get("value") for variable in container["env"]}
        pause = (
            container.get("lifecycle", {})
            .get("preStop", {})
            .get("exec", {})
            .get("command", ["sleep", "0"])[1]
        )
        needed = int(env["CRONZIMUS_WORKER__DRAIN_SECONDS"]) + int(pause) + GUNICORN_MARGIN
        if template["spec"]["terminationGracePeriodSeconds"] <= needed:
            faults.append(
                f"{name}: killed after {template['spec']['terminationGracePeriodSeconds']} s, needs {needed}"
            )
    return faults


def monitors(objects: list[Object]) -> list[str]:
    """Service monitors that find no Service, no port or no token."""
    services = of_kind(objects, "Service")
    faults = []
    for one in of_kind(objects, "ServiceMonitor"):
        selector = one["spec"]["selector"]["matchLabels"]
        found = [service for service in services if hits(selector, service["metadata"]["labels"])]
        names = {port["name"] for service in found for port in service["spec"]["ports"]}
        for endpoint in one["spec"]["endpoints"]:
            credentials = endpoint.get("authorization", {}).get("credentials", {})
            faults += [f"ServiceMonitor: {endpoint['port']} is no port of it"] * (
                endpoint["port"] not in names
            )
            faults += [f"ServiceMonitor: {endpoint['path']} is no route"] * (endpoint["path"] not in routes())
            faults += ["ServiceMonitor: no token"] * (
                not credentials.get("name") or not credentials.get("key")
            )
    return faults


def scaling(objects: list[Object]) -> list[str]:
    """Autoscalers of nothing, and numbers of pods that two would set."""
    deployments = {one["metadata"]["name"]: one for one in of_kind(objects, "Deployment")}
    faults, scaled = [], set()
    for one in of_kind(objects, "HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]["name"]
        scaled.add(target)
        faults += [f"autoscaler: no Deployment {target}"] * (target not in deployments)
        faults += [f"autoscaler: {target} says its number too"] * (
            "replicas" in deployments.get(target, {}).get("spec", {})
        )
    plain = deployments.keys() - scaled
    return faults + [
        f"{name}: nobody says how many" for name in plain if "replicas" not in deployments[name]["spec"]
    ]
