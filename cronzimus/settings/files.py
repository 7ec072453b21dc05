"""Which files make up the configuration, in which order, and what one of them says."""

import datetime
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cronzimus.common import yaml
from cronzimus.errors import ConfigError

ENVIRONMENTS: Final = ("development", "staging", "production")
PATH_VARIABLES: Final = ("CRONZIMUS_CONFIG_PATH", "ORCHESTRATOR_CONFIG_PATH", "CONFIG_PATH")
_NAMES: Final = ("config", "database", "jobs")
_SUFFIXES: Final = (".yaml", ".yml", ".toml")


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the files are: a folder, one file, or nothing; `environment` when the path itself names one."""

    root: Path | None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What one file says, and where it says it."""

    path: Path
    data: Mapping[str, Any]
    where: Callable[[yaml.KeyPath], str]


def locate(given: Path | None, *variables: Mapping[str, str]) -> Tree:
    """The tree at `given`, else at the first path variable, else ./config, which may be missing."""
    named = [(given.expanduser(), "--config-path")] if given else []
    for place in variables:
        named += [(Path(place[name]).expanduser(), name) for name in PATH_VARIABLES if place.get(name)]
    if not named:
        return Tree(Path("config") if Path("config").is_dir() else None)
    path, origin = named[0]
    if not path.exists():
        raise ConfigError(f"config path {path} does not exist (from {origin})")
    if path.is_file() and path.suffix not in _SUFFIXES:
        raise ConfigError(f"config path {path} is neither a folder nor a YAML or TOML file (from {origin})")
    whole = path if path.name not in ("", "..") else path.resolve()
    if whole.name in ENVIRONMENTS and (whole.parent / "base").is_dir():
        return Tree(whole.parent, whole.name)
    return Tree(path)


def listed(tree: Tree, environment: str) -> list[Path]:
    """The files of the tree for `environment`; what a later one says wins."""
    root = tree.root
    if root is None:
        return []
    if root.is_file():
        return [root]
    base = root / "base" if (root / "base").is_dir() else root
    candidates = [*_standard(base), root / "scheduler.toml", *_standard(root / environment)]
    return [path for path in (*candidates, root / f"{environment}.toml") if path.is_file()]


def unread(tree: Tree, environment: str) -> list[Path]:
    """Files that look like configuration, lie in the tree and are not read: probably misnamed."""
    if tree.root is None or not (tree.root / "base").is_dir():
        return []
    known = set(listed(tree, environment)) | {tree.root / f"{name}.toml" for name in ENVIRONMENTS}
    folders = (tree.root, tree.root / "base", tree.root / environment)
    found = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [path for path in found if path.suffix in _SUFFIXES and path.is_file() and path not in known]


def read(path: Path) -> Source:
    """What the file says; ConfigError with its place when it is not a mapping of keys to values."""
    if path.suffix == ".toml":
        return Source(path, _toml(path), lambda _: str(path))
    document = yaml.load(path)
    if document.data is not None and not isinstance(document.data, dict):
        raise ConfigError(f"{document.where()}: expected sections such as `server:`")
    return Source(path, document.data or {}, document.line)


def _standard(folder: Path) -> Iterator[Path]:
    return (folder / f"{name}{suffix}" for name in _NAMES for suffix in _SUFFIXES)


def _toml(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
        if len(raw) > yaml.MAX_BYTES:
            raise ConfigError(f"{path}: larger than {yaml.MAX_BYTES // 1024} kB")
        return {key: _json_like(value) for key, value in tomllib.loads(raw.decode()).items()}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else str(path)
        raise ConfigError(f"{where}: {str(error)[: place.start() if place else None]}") from None


def _json_like(value: Any) -> Any:
    """TOML knows dates; a definition is a JSON document, which writes them as text."""
    if isinstance(value, dict):
        return {key: _json_like(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_like(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
