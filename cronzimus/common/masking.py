"""No secret in any text that leaves the process: registered values, and what looks like a secret."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

MASK: Final = "***"

_DSN_PASSWORD: Final = re.compile(r"(://[^\s:/@\"']*:)[^\s/\"']*@")
_NAMED_SECRET: Final = re.compile(
    r"\b((?:password|passwd|pwd|secret|token|api[_-]?key)=|bearer )('[^']*'|[^\s&'\",;]+)", re.IGNORECASE
)
_SECRET_NAME: Final = re.compile(
    r"password|passwd|pwd|secret|token|api[_-]?key|authorization|cookie|credential|private[_-]?key",
    re.IGNORECASE,
)


_SHORTEST_LINE: Final = 8


@dataclass(slots=True)
class _Known:
    """The secrets of this process, and the one pattern that finds them all."""

    secrets: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


_known = _Known()


def register_secret(value: str) -> None:
    """From now on `value` is masked in every line. Values shorter than four characters are left alone.

    Of a value of several lines, such as a key in PEM, each line is masked for itself too: a log has lines.
    """
    if len(value) < 4:
        return
    forms = {value, quote(value, safe=""), json.dumps(value)[1:-1]}
    forms.update(line for line in map(str.strip, value.splitlines()) if len(line) >= _SHORTEST_LINE)
    if forms <= _known.secrets:
        return
    _known.secrets = _known.secrets | forms
    longest_first = sorted(_known.secrets, key=len, reverse=True)
    _known.pattern = re.compile("|".join(map(re.escape, longest_first)))


def mask(text: str) -> str:
    """`text` without registered secrets, passwords in URLs and values named password, token and the like."""
    text = mask_known(text)
    if "://" in text:
        text = mask_dsn(text)
    return _NAMED_SECRET.sub(rf"\1{MASK}", text) if "=" in text or "earer " in text else text


def mask_known(text: str) -> str:
    """`text` without registered secrets and otherwise as it was."""
    return text if _known.pattern is None else _known.pattern.sub(MASK, text)


def mask_dsn(text: str) -> str:
    """`text` with the passwords inside its URLs masked and nothing else."""
    text = _DSN_PASSWORD.sub(rf"\1{MASK}@", text)
    return re.sub(r"([?&](?:ssl)?password=)[^&\s]*", rf"\1{MASK}", text, flags=re.IGNORECASE)


def mask_all(value: Any) -> Any:
    """Plain data with every text masked, and every text under a name such as `password` gone."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _mask_named(name, inner) for name, inner in value.items()}
    return [mask_all(inner) for inner in value] if isinstance(value, list | tuple) else value


def _mask_named(name: object, value: Any) -> Any:
    if value and isinstance(value, str | list | tuple) and _SECRET_NAME.search(str(name)):
        return MASK
    return mask_all(value)
