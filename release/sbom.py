"""The bill of materials: every pinned package with its hashes and licences, as CycloneDX JSON.

The lock is the truth: what stands there is listed, also for other systems and Pythons. Licences are read from the
packages installed here, where they are; the rest of the file does not depend on the machine.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from release.source import Refused

_PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[^]]*])?==(?P<version>[^\s;]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^\s+#\s+(?:via\s+)?(?!via$)(\w[\w.-]*)(?:\[[^]]*])?(?:\s|$)")
_SHORT = 100


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock: which, from what bytes, and who asked for it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]


def pins(lock: str) -> Iterator[Pin]:
    """The packages of a lock that uv wrote."""
    for block in re.split(r"^(?=[\w.-]+(?:\[[^]]*])?==)", lock, flags=re.MULTILINE):
        if found := _PIN.match(block):
            via = tuple(said[1] for line in block.splitlines() if (said := _VIA.match(line)))
            yield Pin(found["name"], found["version"], tuple(_HASH.findall(block)), via)


def written(version: str, epoch: int, lock: str, vendored: Path, digests: Mapping[str, str]) -> str:
    """The bill as text; two calls with the same lock, packages and archives give the same bytes."""
    root = Component(
        name="cronzimus",
        version=version,
        type=ComponentType.APPLICATION,
        purl=PackageURL("pypi", None, "cronzimus", version),
        bom_ref="cronzimus",
        external_references=[_distribution(name, [value]) for name, value in digests.items()],
    )
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{version} {epoch} {sorted(digests.items())} {lock}"))
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    locked = {pin.name: (pin, _component(pin)) for pin in pins(lock)}
    carried = list(_vendored(vendored))
    for component in [*(one for _, one in locked.values()), *carried]:
        bom.components.add(component)
    for name, (_, component) in locked.items():
        bom.register_dependency(component, [c for pin, c in locked.values() if name in pin.via])
    bom.register_dependency(root, [c for pin, c in locked.values() if "cronzimus" in pin.via] + carried)
    return _checked(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


def _checked(text: str) -> str:
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise Refused(f"the bill of materials is not CycloneDX 1.6: {fault}")
    return text


def _component(pin: Pin) -> Component:
    purl = PackageURL("pypi", None, pin.name, pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=licences(pin.name, pin.version),
        external_references=[_distribution(purl.to_string(), pin.hashes)],
    )


def _distribution(address: str, hashes: Iterable[str]) -> ExternalReference:
    """One release is many files, so the hashes stand with what is fetched and not with the component."""
    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(address),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in hashes],
    )


def _vendored(table: Path) -> Iterator[Component]:
    """What others made and the package carries: scripts of the pages."""
    for package in tomllib.loads(table.read_text(encoding="utf-8"))["package"]:
        yield Component(
            name=package["name"],
            version=package["version"],
            type=ComponentType.LIBRARY,
            purl=PackageURL("npm", None, package["name"], package["version"]),
            bom_ref=f"vendored/{package['name']}",
            licenses=[LicenseFactory().make_from_string(package["licence"])],
            external_references=[_distribution(name, [value]) for name, value in package["files"].items()],
        )


def licences(name: str, version: str) -> list[License]:
    """What the installed package says of its licence; nothing when another version, or none, is installed."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if about["Version"] != version:
        return []
    text, *_ = about.get_all("License-Expression") or about.get_all("License") or [""]
    if text and "\n" not in text.strip() and len(text) <= _SHORT:
        return [LicenseFactory().make_from_string(text.strip())]
    known = [
        line.split(" :: ") for line in about.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    return [LicenseFactory().make_from_string(words[-1]) for words in known if len(words) > 2]
