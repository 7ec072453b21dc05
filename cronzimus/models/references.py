"""Secrets by reference: `${secret:NAME}` stands in a text for what is looked up when the run begins."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cronzimus.errors import Fault, Invalid

SECRET_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}", re.ASCII)

# A dollar sign more makes it a plain text: `$${secret:X}` is `${secret:X}` in the end.
_REFERENCE: Final = re.compile(r"(?P<plain>\$)?\$\{secret:(?P<name>[^}]{0,200})\}")
_SECRET_KEY: Final = re.compile(
    r"(?:^|[^a-z])(?:password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?"
    r"|authorization)$"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SCHEMES: Final = ("bearer", "basic", "digest", "token", "apikey")


def names_in(value: Any) -> frozenset[str]:
    """The names of every secret a value refers to, at any depth."""
    return frozenset(name for text in texts_in(value) for name in _names(text))


def has_reference(value: Any) -> bool:
    """Whether anything in the value is a secret."""
    return bool(names_in(value))


def replaced(value: Any, secret: Callable[[str], str], field: str = "params") -> Any:
    """The value with its references replaced; `secret` may raise Invalid, which then names the field."""
    if isinstance(value, str):
        return _replaced_text(value, secret, field) if "${secret:" in value else value
    if isinstance(value, Mapping):
        return {name: replaced(item, secret, f"{field}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, secret, f"{field}.{place}") for place, item in enumerate(value)]
    return value


def misnamed(value: Any, field: str = "params") -> Iterator[Fault]:
    """References whose name no secret can have."""
    for path, text in fields_of(value, field):
        for name in _names(text):
            if not SECRET_NAME.fullmatch(name):
                yield Fault(path, f"${{secret:{name[:60]}}} names no secret: letters, digits, _ . and - only")


def plain_secrets(value: Any, field: str = "params", *, templates: bool = False) -> Iterator[Fault]:
    """Texts that lie openly under a name such as `password` or `api_key`."""
    for path, text in fields_of(value, field):
        key = path.rpartition(".")[2]
        if is_secret_key(key) and _is_open(text) and not (templates and "{{" in text):
            suggestion = re.sub(r"\W", "_", key).upper()
            yield Fault(
                path, f"looks like a secret; keep it out of the job and refer to it: ${{secret:{suggestion}}}"
            )


def is_secret_key(key: str) -> bool:
    """Whether something of that name is expected to be secret: `db_password`, `apiKey`, `X-Auth-Token`."""
    return bool(_SECRET_KEY.search(_CAMEL.sub("_", key).lower().replace("-", "_")))


def texts_in(value: Any) -> Iterator[str]:
    """Every text in the value."""
    return (text for _, text in fields_of(value, ""))


def fields_of(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """Every text in the value with its dotted path."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from fields_of(item, f"{field}.{name}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from fields_of(item, f"{field}.{place}")


def _names(text: str) -> Iterator[str]:
    if "${secret:" in text:
        for found in _REFERENCE.finditer(text):
            if not found["plain"]:
                yield found["name"]


def _replaced_text(text: str, secret: Callable[[str], str], field: str) -> str:
    def _one(found: re.Match[str]) -> str:
        if found["plain"]:
            return found[0][1:]
        try:
            return secret(found["name"])
        except Invalid as error:
            message = f"{field}: {error.message}"
            raise Invalid(message, code=error.code, faults=[Fault(field, error.message)]) from None

    return _REFERENCE.sub(_one, text)


def _is_open(text: str) -> bool:
    """Whether a text is itself what should be hidden: `Bearer ${secret:X}` is not, `Bearer` is nothing."""
    left = _REFERENCE.sub("", text).strip()
    return bool(left) and not (left != text.strip() and left.lower() in _SCHEMES)
