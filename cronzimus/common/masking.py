"""No secret in any text that leaves the process: registered values, and what looks like a secret."""

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

MASK: Final = "***"

_DSN_PASSWORD: Final = re.compile(r"(://[^\s:/@\"']*:)[^\s/\"']*@")
_NAMED_SECRET: Final = re.compile(
    r"\b((?:password|passwd|pwd|secret|token|api[_-]?key)=|bearer )('[^']*'|[^\s&'\",;]+)", re.IGNORECASE
)


@dataclass(slots=True)
class _Known:
    """The secrets of this process, and the one pattern that finds them all."""

    secrets: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


_known = _Known()


def register_secret(value: str) -> None:
    """From now on `value` is masked in every line. Values shorter than four characters are left alone."""
    if len(value) < 4:
        return
    forms = {value, quote(value, safe=""), json.dumps(value)[1:-1]}
    _known.secrets = _known.secrets | forms
    longest_first = sorted(_known.secrets, key=len, reverse=True)
    _known.pattern = re.compile("|".join(map(re.escape, longest_first)))


def mask(text: str) -> str:
    """`text` without registered secrets, passwords in URLs and values named password, token and the like."""
    if _known.pattern is not None:
        text = _known.pattern.sub(MASK, text)
    if "://" in text:
        text = mask_dsn(text)
    return _NAMED_SECRET.sub(rf"\1{MASK}", text) if "=" in text or "earer " in text else text


def mask_dsn(text: str) -> str:
    """`text` with the passwords inside its URLs masked and nothing else."""
    text = _DSN_PASSWORD.sub(rf"\1{MASK}@", text)
    return re.sub(r"([?&](?:ssl)?password=)[^&\s]*", rf"\1{MASK}", text, flags=re.IGNORECASE)
