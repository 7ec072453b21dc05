"""`${NAME}`, `${NAME:-default}` and `$ENV[NAME]` inside values; `$${` is a literal `${`.

`${secret:NAME}` stays as it is: a job refers to a secret with it, which is looked up when a run begins.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from cronzimus.common.masking import register_secret

_REFERENCE: Final = re.compile(
    r"\$\$\{|(?P<secret>\$\{secret:[^}]*\})"
    r"|\$\{(?P<name>[A-Za-z_]\w*)(?P<fallback>:-[^}]*)?\}|\$ENV\[(?P<old>[A-Za-z_]\w*)\]"
    r"|(?P<bad>\$\{[^}]{0,40}\}?)",
    re.ASCII,
)
_SECRET_NAME: Final = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$",
    re.IGNORECASE,
)


def expand(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with every reference replaced, at any depth; ValueError names the variable that is missing."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _replacement(found, variables), value) if "$" in value else value
    if isinstance(value, Mapping):
        return {key: expand(item, variables) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expand(item, variables) for item in value]
    return value


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0] == "$${":
        return "${"
    if found["secret"]:
        return found[0]
    if found["bad"]:
        raise ValueError(f"cannot read {found['bad']!r}; write ${{NAME}} or ${{NAME:-default}}")
    name = found["name"] or found["old"]
    if text := variables.get(name):
        return text
    if found["fallback"] is None:
        raise ValueError(f"environment variable {name} is not set; set it or write ${{{name}:-default}}")
    return str(found["fallback"][2:])


def register_secret_variables(variables: Mapping[str, str]) -> None:
    """Mask the values of variables whose names say that they are secret."""
    for name, value in variables.items():
        if len(value) >= 6 and _SECRET_NAME.search(name):
            register_secret(value)
