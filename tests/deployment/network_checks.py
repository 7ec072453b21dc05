"""Whether networks are closed, and the metadata address of clouds out of reach whatever is allowed."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from tests.deployment.chart import Object
from tests.deployment.chart_checks import hits, of_kind, pods

METADATA = (ipaddress.ip_address("169.254.169.254"), ipaddress.ip_address("fd00:ec2::254"))


def denial(objects: list[Object]) -> list[str]:
    """Pods that no policy closes in both directions, and policies that let anybody reach the metadata address."""
    policies = of_kind(objects, "NetworkPolicy")
    faults = [
        f"{name}: nothing closes it"
        for name, _, template in pods(objects)
        if not any(
            set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
            and "ingress" not in policy["spec"]
            and hits(policy["spec"]["podSelector"]["matchLabels"], template["metadata"]["labels"])
            for policy in policies
        )
    ]
    return faults + [fault for policy in policies for fault in _ways_out(policy)]


def _ways_out(policy: Object) -> Iterator[str]:
    name = policy["metadata"]["name"]
    for rule in policy["spec"].get("egress", []):
        if not rule.get("to") or not rule.get("ports"):
            yield f"{name}: a way out names no {'peer' if not rule.get('to') else 'port'}, which means every one"
        for peer in rule.get("to") or []:
            if block := peer.get("ipBlock"):
                open_to = [str(address) for address in METADATA if _lets(block, address)]
                yield from (f"{name}: {block['cidr']} lets pods reach {address}" for address in open_to)


def _lets(block: dict[str, Any], address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inside = address in ipaddress.ip_network(block["cidr"], strict=False)
    return inside and not any(address in ipaddress.ip_network(one) for one in block.get("except", []))
