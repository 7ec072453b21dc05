"""Looks for keys, tokens and passwords in all that is, or would be, committed: `make security` runs it."""

import re
import sys
from collections.abc import Iterator

from tests.house.tree import ROOT, checkout_files, text_of

# Said in a comment on the line, it tells the scan and the reader that the value opens nothing.
HARMLESS = "not a secret"

SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,})"),
    "a GitLab token": re.compile(r"\bglpat-[\w-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[\w-]{10,}"),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}"),
    "a Stripe key": re.compile(r"\b[rs]k_live_\w{20,}"),
    "a package registry token": re.compile(r"\b(pypi-AgE|npm_)[\w-]{30,}"),
    "a signed web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a Cronzimus token": re.compile(r"\bczk_[\w-]{30,}"),
}
PASSWORD_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@\"']+:[^\s@/\"'<>{}$%]+@(?P<host>[\w.-]+)")
ASSIGNMENT = re.compile(
    r"(?i)\b\w*(password|passwd|secret|token|api_?key)\w*[\"']?\s*[:=]\s*[\"'](?P<value>[\w+/=.-]{16,})[\"']"
)
NOWHERE = re.compile(r"localhost|127\.[\d.]+|host|\w+|(.*\.)?example(\.\w+)?|.*\.(invalid|test|local)")
GENERATED = re.compile(r"requirements.*\.txt")


def findings(text: str, *, invented: bool = False) -> Iterator[tuple[int, str]]:
    """The line numbers of a text that look like secrets, and what they look like.

    In `invented` surroundings (tests, documents) a value that is only *named* a secret counts as an example.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if HARMLESS not in line:
            yield from ((number, what) for what, shape in SHAPES.items() if shape.search(line))
            yield from (
                (number, "a password in a URL") for match in PASSWORD_IN_URL.finditer(line) if _leads(match)
            )
            if not invented and (match := ASSIGNMENT.search(line)) and _is_random(match["value"]):
                yield number, "a secret written down"


def _leads(match: re.Match[str]) -> bool:
    """Whether the address is one that could exist outside of this machine."""
    return not NOWHERE.fullmatch(match["host"])


def _is_random(value: str) -> bool:
    """Whether a value looks drawn by lot: letters and digits mixed, hardly any repeated."""
    mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    return mixed and len(set(value)) >= 10


def main() -> int:
    """Scan the checkout; 1 when anything was found."""
    files = [path for path in checkout_files() if not GENERATED.fullmatch(path.name)]
    found = 0
    for path in files:
        place = path.relative_to(ROOT)
        for number, what in findings(text_of(path) or "", invented=place.parts[0] in {"tests", "docs"}):
            print(f"{place}:{number}: looks like {what}")
            found += 1
    print(f"secret scan: {len(files)} files, {found or 'nothing'} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
