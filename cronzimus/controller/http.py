"""An HTTP request as a job: bounded in time and size, marked so that the other side can tell a repetition."""

import json as jsonlib
from collections.abc import Mapping, Sequence
from typing import Any

from cronzimus.common.http import Answer, RequestFailed, RequestRefused, request, shown_url
from cronzimus.common.logger import mask
from cronzimus.errors import Invalid
from cronzimus.models.run import ErrorCategory
from cronzimus.services.tracing import continued
from cronzimus.workers.context import RunContext

KEPT_BYTES = 65_536

_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})


class HttpFailed(Exception):
    """The answer was not an expected one, or none came; `result` is the answer."""

    category = ErrorCategory.SYSTEM

    def __init__(self, message: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.result = result


class HttpRejected(HttpFailed):
    """The other side, or we, will refuse the same request again."""

    category = ErrorCategory.BUSINESS


def send_request(
    run: RunContext,
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    body: str | None = None,
    expect: Sequence[int] = (),
    timeout: float = 30.0,
) -> dict[str, Any]:
    """Send one request; `{status, content_type, body, truncated}`, the body bounded to 64 KiB.

    A status outside `expect` (any 2xx when empty) raises: HttpFailed for 5xx, 408, 425, 429 and a transport
    that failed, HttpRejected otherwise. Redirects are not followed. `Idempotency-Key` is the same for every
    attempt of the run. Link-local and metadata addresses are refused; private and loopback ones are not,
    because people call their own services.
    """
    if json is not None and body is not None:
        raise Invalid("give json or body, not both", code="INVALID_PARAMS")
    content = (
        jsonlib.dumps(json).encode() if json is not None else body.encode() if body is not None else None
    )
    left = run.time_left()
    try:
        with continued(run.trace_id):
            answer = request(
                method.upper(),
                url,
                headers=_headers(run, headers or {}, is_json=json is not None),
                content=content,
                timeout=timeout if left is None else max(0.001, min(timeout, left)),
                keep_bytes=KEPT_BYTES,
                interruptible=run.on_cancel,
            )
    except RequestRefused as error:
        raise HttpRejected(str(error)) from None
    except RequestFailed as error:
        raise HttpFailed(str(error)) from None
    return _judged(answer, expect, f"{method.upper()} {shown_url(url)}")


def _headers(run: RunContext, given: Mapping[str, str], *, is_json: bool) -> dict[str, str]:
    """Ours, unless the job names the same ones."""
    # Not compressed: a small answer may unpack to any size.
    ours = {"user-agent": "cronzimus", "accept-encoding": "identity", "idempotency-key": run.key}
    if is_json:
        ours["content-type"] = "application/json"
    return ours | {name.lower(): value for name, value in given.items()}


def _judged(answer: Answer, expect: Sequence[int], what: str) -> dict[str, Any]:
    result = {
        "status": answer.status,
        "content_type": answer.content_type,
        "body": _text(answer),
        "truncated": answer.truncated,
    }
    if answer.status in expect or (not expect and 200 <= answer.status < 300):
        return result
    wanted = f"expected {', '.join(map(str, expect))}" if expect else "expected 2xx"
    note = ", redirects are not followed" if 300 <= answer.status < 400 else ""
    again = answer.status >= 500 or answer.status in _WORTH_ANOTHER_TRY
    failure = HttpFailed if again else HttpRejected
    raise failure(f"{what} answered {answer.status}, {wanted}{note}", result)


def _text(answer: Answer) -> str:
    if answer.encoding not in ("", "identity"):
        return f"[{len(answer.body)} bytes of {answer.encoding}]"
    charset = answer.content_type.lower().rpartition("charset=")[2].strip("\"' ") or "utf-8"
    try:
        return mask(answer.body.decode(charset, "replace"))
    except LookupError:
        return mask(answer.body.decode("utf-8", "replace"))
