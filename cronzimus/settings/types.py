"""The kinds of value a setting can have, each checked with a sentence of its own."""

import re
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Secret, SecretStr

from cronzimus.common.logger import LevelName, level_name
from cronzimus.common.masking import mask_dsn
from cronzimus.utils.env import did_you_mean

Environment = Literal["development", "staging", "production"]
Scope = Literal["read", "operate", "admin"]
Role = Literal["viewer", "operator", "admin"]


class Section(BaseModel):
    """One section of the tree; unknown keys are refused, values never change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True
    )


class Dsn(Secret[str]):
    """A database URL that shows itself with its password masked."""

    def _display(self) -> str:
        return mask_dsn(self.get_secret_value())


def _known_zone(name: object) -> object:
    if not isinstance(name, str):
        return name
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, zoneinfo.available_timezones())
        raise ValueError(f"unknown time zone {name!r}{hint}") from None
    return name


def _database_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    scheme, found, _ = value.partition("://")
    if not found or scheme not in ("postgresql", "postgres"):
        raise ValueError(
            f"unsupported scheme {scheme if found else ''!r}; supported: postgresql://, postgres://"
        )
    try:
        _ = urlsplit(value).port
    except ValueError:
        raise ValueError("not a valid URL; expected postgresql://user:password@host:5432/name") from None
    return Dsn(value)


def _address(value: object) -> object:
    if isinstance(value, str):
        host, _, port = value.rpartition(":")
        if (
            not host
            or not port.isdecimal()
            or int(port) > 65535
            or (":" in host and not host.startswith("["))
        ):
            raise ValueError("expected host:port, such as 0.0.0.0:8080 or [::]:8080")
    return value


def _secret(value: object) -> object:
    return SecretStr(value) if isinstance(value, str) else value


def _digits(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _level(value: object) -> object:
    return level_name(value) if isinstance(value, str) else value


def _labels(value: object) -> object:
    for name, text in value.items() if isinstance(value, Mapping) else ():
        if not _LABEL.fullmatch(str(name)):
            raise ValueError(f"expected names such as zone or gpu, got {name!r}")
        if isinstance(text, str) and len(text) > _LONGEST_LABEL:
            raise ValueError(f"the value of {name} has more than {_LONGEST_LABEL} characters")
    return value


def _role_of(value: object) -> object:
    if isinstance(value, str) and value.rpartition("=")[2] not in get_args(Role):
        raise ValueError(f"expected value=role, such as cron-team=operator, got {value!r}")
    return value


# As a job writes them in `placement.labels`.
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,62}")
_LONGEST_LABEL = 200

Seconds = Annotated[float, Field(gt=0, le=31_536_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Address = Annotated[str | None, BeforeValidator(_address)]
Labels = Annotated[dict[str, str], BeforeValidator(_labels)]
RoleOf = Annotated[str, BeforeValidator(_role_of)]
Zone = Annotated[str, BeforeValidator(_known_zone)]
Level = Annotated[LevelName, BeforeValidator(_level)]
DatabaseUrl = Annotated[Dsn | None, BeforeValidator(_database_url)]
SecretText = Annotated[SecretStr | None, BeforeValidator(_secret)]
TextOrCount = Annotated[str | int | None, BeforeValidator(_digits)]
