"""The section of alerting: where is told what, and the ping that says that all is well."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cronzimus.settings.types import Count, Seconds, SecretText, Section

_NEEDS = {"webhook": ("url", "secret"), "smtp": ("host", "sender", "to"), "apprise": ("url",), "log": ()}
_MAY = {
    "webhook": {"url", "secret"},
    "smtp": {"host", "port", "security", "username", "password", "sender", "to"},
    "apprise": {"url"},
    "log": set[str](),
}
_OWN = frozenset[str]().union(*_MAY.values())
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class ChannelSettings(Section):
    """One way to tell somebody; which fields it takes depends on its type."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="What rules call it: small letters, digits, - and _.",
    )
    type: Literal["webhook", "smtp", "apprise", "log"] = Field(
        description="webhook (signed), smtp (mail), apprise (170 services, needs the extra notify) or log."
    )
    url: SecretText = Field(
        default=None,
        description="webhook, apprise: where to send; may hold a key, so it is never shown whole.",
    )
    secret: SecretText = Field(
        default=None, description="webhook: the key that signs, `whsec_` and base64 of 24 to 64 bytes."
    )
    host: str | None = Field(default=None, min_length=1, description="smtp: the mail server.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="smtp: its port; by security 587, 465 or 25."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="smtp: how the connection is protected; none sends in clear."
    )
    username: str | None = Field(default=None, description="smtp: who signs in; nobody when unset.")
    password: SecretText = Field(default=None, description="smtp: the password of username.")
    sender: str | None = Field(default=None, pattern="@", description="smtp: the address in From.")
    to: tuple[str, ...] = Field(default=(), max_length=50, description="smtp: the addresses told.")

    @model_validator(mode="after")
    def _fields_suit_the_type(self) -> Self:
        missing = [name for name in _NEEDS[self.type] if not getattr(self, name)]
        if missing:
            raise ValueError(f"channel {self.name!r} of type {self.type} needs {', '.join(missing)}")
        strange = sorted((self.model_fields_set & _OWN) - _MAY[self.type])
        if strange:
            raise ValueError(f"channel {self.name!r} of type {self.type} has no {', '.join(strange)}")
        if (self.username is None) != (self.password is None):
            raise ValueError(f"channel {self.name!r}: give both username and password, or neither")
        return self


class DeadMansSwitchSettings(Section):
    """An outside service that raises the alarm when it hears nothing from here."""

    url: SecretText = Field(
        default=None, description="Asked while this installation really fires; unset: nobody is asked."
    )
    every_seconds: Seconds = Field(default=60, description="How often.")
    method: Literal["GET", "POST"] = Field(default="GET", description="How.")


class AlertsSettings(Section):
    """Being told: rules that ship with the installation, and the channels of all rules."""

    enabled: bool = Field(
        default=True, description="Look for alerts and send notifications from this process."
    )
    every_seconds: Seconds = Field(default=5, description="How often the ledger is looked at for alerts.")
    timeout_seconds: Seconds = Field(
        default=10,
        description="How long one delivery may take; after twice that and 5 s another process tries.",
    )
    max_attempts: Count = Field(
        default=50, description="Deliveries tried before a notification is given up, some 4 hours."
    )
    channels: tuple[ChannelSettings, ...] = Field(
        default=(), max_length=20, description="Where people can be told."
    )
    rules: tuple[dict[str, Any], ...] = Field(
        default=(), max_length=500, description="Rules of this installation, as in docs/alerts.md."
    )
    dead_mans_switch: DeadMansSwitchSettings = Field(default=DeadMansSwitchSettings())

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [channel.name for channel in self.channels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"channel names must differ; more than one is called {twice[0]!r}")
        return self
