"""The OpenID Connect provider: sends people there, and believes only what it signed for this very sign-in.

What belongs to one sign-in (state, nonce, PKCE verifier) is derived from a seed that the browser holds in a
cookie, so that any process can finish what another began. The one door to Authlib and its JOSE, imported late.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from cronzimus.common.http import RequestFailed, request
from cronzimus.common.logger import get_logger
from cronzimus.errors import ConfigError, Unauthenticated, Unavailable
from cronzimus.models.access import RANK, Role
from cronzimus.settings import OidcSettings
from cronzimus.utils.loopback import is_loopback

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
_LEEWAY_SECONDS: Final = 30
_KNOWN_SECONDS: Final = 3600.0
_KEYS_AGAIN_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 10.0
_LARGEST_ANSWER: Final = 1024 * 1024
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, and the role its claims give here."""

    issuer: str
    subject: str
    name: str
    role: Role


class Provider:
    """May raise Unavailable PROVIDER_UNAVAILABLE; what cannot be believed is Unauthenticated SIGN_IN_REFUSED."""

    def __init__(self, settings: OidcSettings) -> None:
        # Looked for now, so that the service does not start to tell the first who wants to sign in.
        if not all(find_spec(library) for library in ("authlib", "joserfc")):
            raise ConfigError("api.auth.oidc.issuer needs the extra oidc: pip install 'cronzimus[oidc]'")
        self._settings = settings
        self._issuer = settings.issuer or ""
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, dict[str, Any]] | None = None

    def address(self, seed: str, redirect_url: str) -> str:
        """Where to send a browser that holds `seed`."""
        authlib = _Libraries()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_url,
            "scope": " ".join(self._settings.scopes),
            "state": state_of(seed),
            "nonce": _derived(seed, "nonce"),
            "code_challenge": authlib.create_s256_code_challenge(_derived(seed, "verifier")),
            "code_challenge_method": "S256",
        }
        place = self._endpoint("authorization_endpoint")
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(query)}"

    def vouched(self, seed: str, code: str, redirect_url: str) -> Vouched:
        """Whom the code stands for that came back with the state of `seed`."""
        answer = self._redeemed(seed, code, redirect_url)
        claims = self._claims(
            str(answer.get("id_token", "")), _derived(seed, "nonce"), answer.get("access_token")
        )
        role = role_of(self._settings, claims)
        if role is None:
            raise _refused("nothing that the provider says gives a role here")
        name = claims.get(self._settings.name_claim) or claims.get("email") or claims["sub"]
        return Vouched(self._issuer, str(claims["sub"]), str(name).strip().lower(), role)

    def _redeemed(self, seed: str, code: str, redirect_url: str) -> dict[str, Any]:
        client, secret = self._settings.client_id, self._settings.client_secret
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "client_id": client,
            "code_verifier": _derived(seed, "verifier"),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if secret is not None:
            pair = f"{quote(client, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return _asked("POST", self._endpoint("token_endpoint"), headers, urlencode(form).encode())

    def _claims(self, id_token: str, nonce: str, access_token: Any) -> dict[str, Any]:
        """The claims of a token that was signed by the provider, for us, for this sign-in, and not too long ago."""
        authlib = _Libraries()
        try:
            token = self._verified(id_token, authlib)
            claims = authlib.CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"value": self._issuer}, "aud": {"value": self._settings.client_id}},
                {"nonce": nonce, "client_id": self._settings.client_id, "access_token": access_token},
            )
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (authlib.JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"its token is not to be believed: {error}") from None
        if claims.get("nonce") != nonce:
            raise _refused("its token was made for another sign-in")
        return dict(claims)

    def _verified(self, id_token: str, authlib: Any) -> Any:
        """Keys change: one that is not known is looked for again, now and then."""
        try:
            return authlib.decode(id_token, self._key_set(authlib), algorithms=list(_ALGORITHMS))
        except (authlib.JoseError, ValueError):
            if self._keys is not None and time.monotonic() - self._keys[0] < _KEYS_AGAIN_SECONDS:
                raise
            self._keys = None
            return authlib.decode(id_token, self._key_set(authlib), algorithms=list(_ALGORITHMS))

    def _key_set(self, authlib: Any) -> Any:
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys[0] > _KNOWN_SECONDS:
                self._keys = (time.monotonic(), _asked("GET", self._endpoint("jwks_uri"), {}, None))
            return authlib.KeySet.import_key_set(self._keys[1])

    def _endpoint(self, name: str) -> str:
        place = str(self._discovered().get(name, ""))
        parts = urlsplit(place)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise _unavailable(f"the provider names no safe {name}")
        return place

    def _discovered(self) -> dict[str, Any]:
        if self._known is None or time.monotonic() - self._known[0] > _KNOWN_SECONDS:
            found = _asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", {}, None)
            if found.get("issuer") != self._issuer:
                raise _unavailable(f"the provider calls itself {found.get('issuer')!r}, not {self._issuer!r}")
            self._known = (time.monotonic(), found)
        return self._known[1]


def state_of(seed: str) -> str:
    """What must come back with the browser that holds `seed`."""
    return _derived(seed, "state")


def role_of(settings: OidcSettings, claims: Mapping[str, Any]) -> Role | None:
    """The highest role that the claims give, else the default one, which may be none."""
    given: Any = claims
    for name in (settings.role_claim or "").split("."):
        given = given.get(name) if isinstance(given, Mapping) else None
    values = {given} if isinstance(given, str) else set(map(str, given)) if isinstance(given, list) else set()
    pairs = (entry.rpartition("=") for entry in settings.role_map)
    roles = [Role(role) for value, _, role in pairs if value in values]
    if roles:
        return max(roles, key=lambda role: RANK[role.scope])
    return Role(settings.default_role) if settings.default_role else None


class _Libraries:
    """What is used of the optional libraries."""

    def __init__(self) -> None:
        from authlib.oauth2.rfc7636 import (  # type: ignore[import-untyped]
            create_s256_code_challenge,
        )
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jwt import decode

        self.create_s256_code_challenge = create_s256_code_challenge
        self.CodeIDToken = CodeIDToken
        self.JoseError = JoseError
        self.KeySet = KeySet
        self.decode = decode


def _derived(seed: str, purpose: str) -> str:
    return hmac.new(seed.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _asked(method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> dict[str, Any]:
    plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        answer = request(
            method,
            url,
            headers={**plain, **headers},
            content=content,
            timeout=_ANSWER_SECONDS,
            keep_bytes=_LARGEST_ANSWER,
        )
        body = json.loads(answer.body)
    except RequestFailed as error:
        raise _unavailable(f"the provider does not answer: {error}") from None
    except ValueError:
        raise _unavailable("the provider's answer is no JSON") from None
    if not isinstance(body, dict):
        raise _unavailable("the provider's answer is no object")
    if 400 <= answer.status < 500:
        raise _refused(f"it says {body.get('error', answer.status)!r}")
    if answer.status != 200:
        raise _unavailable(f"the provider answers {answer.status}")
    return body


def _refused(why: str) -> Unauthenticated:
    """People are told that it failed, the log why."""
    _log.warning("A sign-in through the provider was refused: {}", why)
    return Unauthenticated("the provider does not vouch for you here", code="SIGN_IN_REFUSED")


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, code="PROVIDER_UNAVAILABLE")
