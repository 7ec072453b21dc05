"""The *restricted* Pod Security Standard, rule by rule, and what this house asks beyond it."""

from collections.abc import Iterator

from tests.deployment.chart import Object
from tests.deployment.chart_checks import containers, pods

UID = 10001
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_syncookies",
}
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROFILES = {"RuntimeDefault", "Localhost"}


def unrestricted(objects: list[Object]) -> list[str]:
    """Every rule that a pod breaks."""
    return [f"{name}: {fault}" for name, _, template in pods(objects) for fault in _of_pod(template["spec"])]


def _of_pod(spec: Object) -> Iterator[str]:
    yield from (key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    for volume in spec.get("volumes", []):
        yield from (f"volume {kind}" for kind in volume.keys() - {"name"} - VOLUMES)
    security = spec.get("securityContext", {})
    yield from (
        f"sysctl {one['name']}" for one in security.get("sysctls", []) if one["name"] not in SAFE_SYSCTLS
    )
    yield from _of_both(security)
    everyone = containers({"spec": spec}) + spec.get("ephemeralContainers", [])
    for container in everyone:
        own = container.get("securityContext", {})
        yield from (f"{container['name']}: {fault}" for fault in _of_container(container, own, security))
    if spec.get("automountServiceAccountToken") is not False:
        yield "the token of its account is mounted"
    tmp = [volume for volume in spec.get("volumes", []) if volume["name"] == "tmp"]
    if not tmp or not tmp[0].get("emptyDir", {}).get("sizeLimit"):
        yield "no /tmp with a size limit"


def _of_container(container: Object, own: Object, pod: Object) -> Iterator[str]:
    yield from _of_both(own)
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "escalation is not forbidden"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "may be root"
    if own.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in PROFILES:
        yield "no seccomp profile"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "a port of the host"
    if any("host" in probe.get("httpGet", {}) for key, probe in container.items() if key.endswith("Probe")):
        yield "a probe of another host"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "may write its root"
    if own.get("runAsUser", pod.get("runAsUser")) != UID:
        yield f"is not {UID}"


def _of_both(security: Object) -> Iterator[str]:
    if security.get("runAsUser") == 0:
        yield "user 0"
    if security.get("seLinuxOptions", {}).get("type", "") not in SELINUX:
        yield "SELinux type"
    if {"user", "role"} & security.get("seLinuxOptions", {}).keys():
        yield "SELinux user"
    if security.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    if security.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "AppArmor"
    if security.get("seccompProfile", {}).get("type") == "Unconfined":
        yield "seccomp is off"
