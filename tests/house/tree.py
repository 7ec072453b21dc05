"""What the house measures look at: the files of the checkout, the package parsed once, its functions."""

import ast
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cronzimus"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NOT_OURS = {".git", ".venv", "venv", "data", "logs", "build", "dist", "node_modules", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the package: where it lies and what it says."""

    path: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How long the file is, as an editor counts."""
        return len(self.text.splitlines())

    def at(self, node: ast.AST) -> str:
        """The place of a node, the way an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def source(text: str, path: str = "cronzimus/sample.py") -> Source:
    """A file from its text, read as the oldest supported Python reads it."""
    return Source(path, text, ast.parse(text, filename=path, feature_version=(3, 11)))


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the package but the migrations, which are SQL in a Python coat."""
    paths = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
    return tuple(
        source(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) for path in paths
    )


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, however deep it sits."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """The lines of a body, its docstring with it, the signature without."""
    return (function.end_lineno or 0) - function.body[0].lineno + 1


def listed(faults: Iterable[str]) -> str:
    """Faults for a person to read: one a line, none cut short."""
    return "\n" + "\n".join(faults)


def checkout_files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())
    except (OSError, subprocess.CalledProcessError):
        return tuple(_walk())


def text_of(path: Path) -> str | None:
    """What a file says, or None when it is not text."""
    content = path.read_bytes()
    return None if b"\0" in content[:8192] else content.decode("utf-8", "replace")


def _walk() -> Iterator[Path]:
    for folder, below, names in os.walk(ROOT):
        below[:] = [
            name for name in below if name not in _NOT_OURS and not name.endswith((".egg-info", "_cache"))
        ]
        yield from (Path(folder, name) for name in names)
