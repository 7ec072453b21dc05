"""Who may come in: tokens, sessions, passwords and the provider that vouches for people."""

import hashlib
from typing import Self

from pydantic import Field, model_validator

from cronzimus.settings.types import Role, RoleOf, Scope, SecretText, Section


class ApiToken(Section):
    """One key that opens the API."""

    name: str = Field(
        min_length=1, max_length=63, description="Who uses the token; shown in the audit trail."
    )
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, in hex."
    )
    token: SecretText = Field(
        default=None, description="The token itself; give sha256 instead in files that others can read."
    )
    scopes: tuple[Scope, ...] = Field(
        default=("read",), min_length=1, description="What the token may do: any of read, operate, admin."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.sha256 is None) == (self.token is None):
            raise ValueError("give exactly one of sha256 and token")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the token in hex: what a presented token's digest is compared with."""
        if self.token is None:
            return self.sha256 or ""
        return hashlib.sha256(self.token.get_secret_value().encode()).hexdigest()


class OidcSettings(Section):
    """Who people are, told by an OpenID Connect provider."""

    issuer: str | None = Field(
        default=None,
        pattern=r"^https://|^http://(127\.0\.0\.1|localhost)(:|/|$)",
        description="The provider's URL, below which /.well-known/openid-configuration lies.",
    )
    client_id: str = Field(
        default="cronzimus", min_length=1, description="The name under which the provider knows this service."
    )
    client_secret: SecretText = Field(default=None, description="The secret that goes with the name.")
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile", "email"), description="What the provider is asked for."
    )
    name_claim: str = Field(
        default="preferred_username", min_length=1, description="The claim that names a person here."
    )
    role_claim: str | None = Field(
        default=None, description="The claim with a person's groups or role; dots lead into objects."
    )
    role_map: tuple[RoleOf, ...] = Field(
        default=(),
        description="value=role for values of role_claim, such as cron-team=operator; the highest counts.",
    )
    default_role: Role | None = Field(
        default=None, description="Role of people whom the map does not know. Unset: they may not sign in."
    )
    redirect_url: str | None = Field(
        default=None,
        description="Where the provider sends people back. Unset: /login/oidc/callback on this host.",
    )


class AuthSettings(Section):
    """Who may call the API."""

    enabled: bool | None = Field(
        default=None,
        description="true asks for a credential in development on loopback too; false changes nothing elsewhere.",
    )
    session_hours: float = Field(
        default=12, gt=0, le=720, description="A person who does nothing for this long is signed out."
    )
    hashing_memory_mb: int = Field(
        default=64, ge=1, le=1024, description="Memory that checking one password takes: what guessing costs."
    )
    tokens: tuple[ApiToken, ...] = Field(
        default=(), description="Tokens the API accepts. CRONZIMUS_API_TOKEN adds one with every scope."
    )
    oidc: OidcSettings = Field(default=OidcSettings())

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [token.name for token in self.tokens]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"token names must differ; more than one is called {twice[0]!r}")
        return self
