"""A client of `/api/v1`: plain data out, every refusal as the error it stands for."""

import ipaddress
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from cronzimus.cli.command import Session
from cronzimus.common.http import Answer, RequestFailed, RequestRefused, RequestTimeout, request, streamed
from cronzimus.errors import Conflict, CronzimusError, Fault, Forbidden, Invalid, NotFound, Unavailable
from cronzimus.utils.env import EnvError, lookup
from cronzimus.version import version

DEFAULT_URL: Final = "http://127.0.0.1:5000"
LARGEST_PAGE: Final = 200

_PREFIX: Final = "/api/v1"
_ANSWER_SECONDS: Final = 30.0
_PAUSES: Final = (0.2, 1.0)
_LARGEST_ANSWER: Final = 256 * 1024 * 1024
_LARGEST_EVENT: Final = 1024 * 1024
# Three of the heartbeats of a live answer.
_SILENCE_SECONDS: Final = 45.0
_MEANINGS: Final[Mapping[int, type[CronzimusError]]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


class ConnectionLost(Unavailable):
    """The request may have arrived; nobody knows."""


class Client:
    """Talks to one service. Raises Unavailable when nothing answers, else what its problem stands for."""

    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, answer_within: float = _ANSWER_SECONDS
    ) -> None:
        self.url = _checked_url(url)
        self._answer_within = answer_within
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"cronzimus/{version()}",
        }
        if token:
            self._headers["Authorization"] = f"Bearer {_checked_token(token)}"

    def get(self, *path: object, **query: Any) -> Any:
        """Read something; what is None in the query is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, query=f"?{urlencode(given)}" if given else "")

    def post(
        self, *path: object, body: Mapping[str, Any] | None = None, if_version: int | None = None
    ) -> Any:
        """Create or do something."""
        return self._ask("POST", path, body=body or {}, headers=_if_match(if_version))

    def post_once(self, *path: object, body: Mapping[str, Any] | None = None) -> Any:
        """The same, asked again under the same key when the connection is lost: it is done once all the same."""
        headers = {"Idempotency-Key": str(uuid4())}
        for pause in _PAUSES:
            try:
                return self._ask("POST", path, body=body or {}, headers=headers)
            except ConnectionLost:
                time.sleep(pause)
        return self._ask("POST", path, body=body or {}, headers=headers)

    def put(self, *path: object, body: Mapping[str, Any], if_version: int | None = None) -> Any:
        """Replace something."""
        return self._ask("PUT", path, body=body, headers=_if_match(if_version))

    def patch(self, *path: object, body: Mapping[str, Any], if_version: int | None = None) -> Any:
        """Change a part of something."""
        return self._ask("PATCH", path, body=body, headers=_if_match(if_version))

    def delete(self, *path: object) -> Any:
        """Remove something."""
        return self._ask("DELETE", path)

    def page(self, *path: object, limit: int | None = 50, offset: int = 0, **query: Any) -> dict[str, Any]:
        """Up to `limit` items of a list (None: all) from `offset` on, in as many requests as it takes."""
        items: list[Any] = []
        seen: set[Any] = set()
        total = place = offset
        while limit is None or len(items) < limit:
            size = LARGEST_PAGE if limit is None else min(LARGEST_PAGE, limit - len(items))
            answer = self.get(*path, limit=size, offset=place, **query)
            total, found = answer["total"], answer["items"]
            # What came in meanwhile moves the list on, so that a page may begin with the end of the last.
            items += [item for item in found if _key(item) not in seen]
            seen |= {_key(item) for item in found}
            place += len(found)
            if not found or place >= total:
                break
        return {"items": items, "total": total, "limit": limit, "offset": offset}

    def stream(self, *path: object, **query: Any) -> Iterator[bytes]:
        """The lines of a live answer; Unavailable when it breaks off, or is silent for too long."""
        given = {name: value for name, value in query.items() if value is not None}
        url = self._url(path, f"?{urlencode(given)}" if given else "")
        headers = {**self._headers, "Accept": "text/event-stream"}
        limits: dict[str, Any] = {"silence": _SILENCE_SECONDS, "keep_bytes": _LARGEST_EVENT}
        try:
            with _past_proxies(self.url):
                yield from streamed(url, headers=headers, refused=self._refusal, **limits)
        except RequestFailed as error:
            raise self._silence(error) from error

    def _url(self, path: tuple[object, ...], query: str) -> str:
        return self.url + _PREFIX + "".join(f"/{quote(str(part), safe='')}" for part in path) + query

    def _ask(
        self,
        method: str,
        path: tuple[object, ...],
        *,
        query: str = "",
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        url = self._url(path, query)
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            with _past_proxies(self.url):
                answer = request(
                    method,
                    url,
                    headers={**self._headers, **kind, **(headers or {})},
                    content=content,
                    timeout=self._answer_within,
                    keep_bytes=_LARGEST_ANSWER,
                )
        except RequestFailed as error:
            raise self._silence(error) from error
        return self._meaning(answer)

    def _silence(self, error: RequestFailed) -> CronzimusError:
        """What it means that no answer came."""
        cause = str(error).partition(": ")[2]
        if isinstance(error, RequestRefused):
            return Invalid(f"{self.url} cannot be asked: {cause}")
        if isinstance(error, RequestTimeout):
            return _unavailable(f"{self.url} does not answer in time")
        if "refused" in cause or "attempts failed" in cause:
            return _unavailable(
                f"nothing answers at {self.url}; is the service running? (start it with `cronzimus serve`)"
            )
        return ConnectionLost(f"{self.url} cannot be reached: {cause}", code="SERVICE_UNAVAILABLE")

    def _refusal(self, answer: Answer) -> CronzimusError:
        """What an answer means that should have been a stream."""
        body = _decoded(answer)
        return self._problem(answer.status, body if isinstance(body, dict) else {})

    def _meaning(self, answer: Answer) -> Any:
        if answer.status == HTTPStatus.NO_CONTENT:
            return None
        body = _decoded(answer)
        if isinstance(body, dict) and answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return body
        raise self._problem(answer.status, body if isinstance(body, dict) else {})

    def _problem(self, status: int, body: Mapping[str, Any]) -> CronzimusError:
        kind = _MEANINGS.get(status, CronzimusError)
        if "code" not in body or "detail" not in body:
            return kind(
                f"{self.url} answers {_named(status)}, and not as a Cronzimus service does; is the URL right?"
            )
        detail = str(body["detail"])
        if status == HTTPStatus.UNAUTHORIZED:
            detail += "; set CRONZIMUS_TOKEN, CRONZIMUS_TOKEN_FILE or --token"
        faults = [Fault(str(e.get("field", "")), str(e.get("message", ""))) for e in body.get("errors") or ()]
        return kind(detail, code=str(body["code"]), faults=faults)


def connect(session: Session) -> Client:
    """The client for the service a command was pointed at; its token is kept out of every message."""
    url = session.url or os.environ.get("CRONZIMUS_URL") or DEFAULT_URL
    session.token = session.token or _token_for(url)
    return Client(url, session.token)


def is_loopback(url: str) -> bool:
    """Whether the URL can only mean this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token_for(url: str) -> str | None:
    """The token of the environment; the service's own one goes nowhere but to this machine."""
    names = ["CRONZIMUS_TOKEN"] + ["CRONZIMUS_API_TOKEN"] * is_loopback(url)
    try:
        found = [lookup(name, os.environ, file=True) for name in names]
    except EnvError as error:
        raise Invalid(str(error)) from None
    return next(filter(None, found), None)


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise Invalid(f"the URL of the service cannot be read: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"expected a URL such as {DEFAULT_URL}, got {url!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise Invalid(
            "the URL of the service must not hold a user, a query or a fragment; use CRONZIMUS_TOKEN"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _checked_token(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid("the token must be printable ASCII without spaces")
    return token


@contextmanager
def _past_proxies(url: str) -> Iterator[None]:
    """For the time of a request: no proxy of the environment can know what listens on this machine."""
    before = os.environ.get("NO_PROXY")
    if is_loopback(url):
        known = before or os.environ.get("no_proxy") or ""
        os.environ["NO_PROXY"] = f"{known},{urlsplit(url).hostname}".strip(",")
    try:
        yield
    finally:
        os.environ.pop("NO_PROXY", None)
        if before is not None:
            os.environ["NO_PROXY"] = before


def _decoded(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, code="SERVICE_UNAVAILABLE")


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _key(item: Mapping[str, Any]) -> Any:
    """What tells items of one list apart: an id, a version's number, or a job's due instant."""
    return item.get("id") or (item.get("job_id"), item.get("version"), item.get("due_at"))
