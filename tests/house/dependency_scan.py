"""Asks the public vulnerability services about every pinned package: `make security` runs it.

pip-audit exits 0 both when all is well and when the service knew none of the packages, so its answer is
counted here: only what was really looked up is called audited. Without any source the scan says so, and fails
only when SECURITY_OFFLINE_OK=0 asks it to, for a place where a source must be in reach.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

SERVICES = ("pypi", "osv")
NOTHING = "dependency scan: no source reachable, nothing audited"


@dataclass(frozen=True, slots=True)
class Audit:
    """What one service said of one lock."""

    audited: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()


def read(report: str) -> Audit:
    """An audit from pip-audit's JSON; an empty one when there is no such report."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit()
    known = [package for package in packages if "skip_reason" not in package]
    return Audit(
        audited=tuple(f"{package['name']} {package['version']}" for package in known),
        skipped=tuple(package["name"] for package in packages if "skip_reason" in package),
        holes=tuple(
            f"{package['name']} {package['version']}: {hole['id']}, fixed in {_fixes(hole)}"
            for package in known
            for hole in package["vulns"]
        ),
    )


def _fixes(hole: dict[str, list[str]]) -> str:
    return ", ".join(hole.get("fix_versions", ())) or "no release yet"


def ask(service: str, lock: str) -> Audit:
    """What a service knows about the pins of a lock; an empty audit when it cannot be reached."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", lock]
    options = [
        "--require-hashes",
        "--disable-pip",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "15",
    ]
    try:
        done = subprocess.run(command + options, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return Audit()
    return read(done.stdout)


def first_answer(lock: str) -> Audit:
    """The first service's audit that looked anything up."""
    return next((audit for service in SERVICES if (audit := ask(service, lock)).audited), Audit())


def verdict(audit: Audit, *, offline_ok: bool) -> tuple[int, Iterable[str]]:
    """The exit code and the lines to print."""
    if not audit.audited:
        return (0 if offline_ok else 1), [NOTHING]
    unknown = [f"not known to the service: {name}" for name in audit.skipped]
    summary = (
        f"dependency scan: {len(audit.audited)} packages audited, {len(audit.holes) or 'no'} known holes"
    )
    return (1 if audit.holes or unknown else 0), [*audit.holes, *unknown, summary]


def main(locks: Iterable[str]) -> int:
    """Audit each lock; 1 when a hole is known, or a package is unknown to a service that knows others."""
    offline_ok = os.environ.get("SECURITY_OFFLINE_OK", "1") != "0"
    codes = []
    for lock in locks:
        code, lines = verdict(first_answer(lock), offline_ok=offline_ok)
        print(*(f"{lock}: {line}" for line in lines), sep="\n")
        codes.append(code)
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
