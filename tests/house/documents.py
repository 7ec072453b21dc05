"""What the documents say, in a form that can be compared with the code."""

import re
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

from tests.house.tree import ROOT, checkout_files

FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
SHELL = {"sh", "bash", "shell", "console"}


def read(name: str) -> str:
    """What a document says, or nothing when it is not written."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def documents() -> Iterator[Path]:
    """Every Markdown file of the checkout."""
    return (path for path in checkout_files() if path.suffix == ".md")


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command in the shell blocks of a document, without comments, prompts, variables."""
    for block in FENCE.finditer(text):
        if block["language"] in SHELL:
            for line in block["body"].replace("\\\n", " ").splitlines():
                words = re.sub(r"\s#.*", "", line.removeprefix("$ ")).split()
                words = list(dropwhile(re.compile(r"[A-Z_]+=").match, words))
                if words and not words[0].startswith("#"):
                    yield words


def template(route: str) -> str:
    """A route with its parameters made equal, whether written `<job_id>`, `<path:x>` or `{id}`."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", route)


def described(text: str) -> set[tuple[str, str]]:
    """Every (method, route) a document speaks of: `GET /api/v1/jobs`, `GET, PUT /x`, or in table cells."""
    found = set()
    for line in text.splitlines():
        for methods, route in re.findall(r"\b((?:[A-Z]{3,7}[`|,/ ]+)+)(/[\w/<>{}:.\-]*)", line):
            found |= {(method, template(route)) for method in re.findall(r"[A-Z]{3,7}", methods)}
    return found


def dead_links(path: Path) -> list[str]:
    """The links of a document that lead to no file of the checkout."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [
        match["target"].partition("#")[0] for match in LINK.finditer(text) if "://" not in match["target"]
    ]
    local = [target for target in targets if target and not target.startswith("mailto:")]
    return [f"{path.relative_to(ROOT)}: {target}" for target in local if not (path.parent / target).exists()]
