"""What a form needs: its token against forged requests, a way back, and a word about what was done."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from flask import Response, g, redirect, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from cronzimus.api.csrf import FIELD, check_csrf, csrf_token
from cronzimus.errors import Conflict, CronzimusError, Unavailable

_TOLD: Final = "cronzimus_told"
_TOLD_SECONDS: Final = 30
_LONGEST_TOLD: Final = 300
# A drawn page may be shown to many: each gets its own token in this place, which nobody can guess.
_PLACE: Final = f"csrf-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in a form: texts by field, and what is chosen of the one field that takes several."""

    fields: Mapping[str, str]
    taken: tuple[str, ...] = ()


def said_in(sent: MultiDict[str, str], names: Iterable[str], several: str) -> Said:
    """What was typed and chosen; `several` names the field that takes more than one."""
    return Said({name: sent.get(name, "").strip() for name in names}, tuple(sent.getlist(several)))


def faults_of(refused: CronzimusError) -> tuple[dict[str, str], int]:
    """What is wrong by field of the form, under the empty name in a sentence; and the status that says so."""
    faults = {"": refused.message}
    for fault in refused.faults:
        faults.setdefault(fault.field.partition(".")[0], fault.message)
    if isinstance(refused, Unavailable):
        return faults, 503
    return faults, 409 if isinstance(refused, Conflict) else 422


def csrf_field() -> Markup:
    """The hidden field every form that changes something carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, _PLACE)


def check_form() -> None:
    """Refuse a change that no page of ours asked for, as the gate did before; raises Forbidden CSRF."""
    check_csrf()


def personal(response: Response) -> None:
    """Put the token of this browser into the page."""
    body = response.get_data()
    if _PLACE.encode() not in body:
        return
    response.set_data(body.replace(_PLACE.encode(), csrf_token().encode()))


def done(message: str, back: str) -> AnyResponse:
    """Go back to a page, which says what was done; `back` is replaced by the page the form came from."""
    response = redirect(local_path(request.form.get("next")) or back, 303)
    told = quote(message[:_LONGEST_TOLD])
    response.set_cookie(_TOLD, told, max_age=_TOLD_SECONDS, httponly=True, samesite="Strict")
    return response


def told() -> str:
    """What the last form did, said once."""
    g.was_told = _TOLD in request.cookies
    return unquote(request.cookies.get(_TOLD, ""))[:_LONGEST_TOLD]


def forget_told(response: Response) -> None:
    """Say it no second time."""
    if g.get("was_told"):
        response.delete_cookie(_TOLD, httponly=True, samesite="Strict")


def local_path(text: str | None) -> str | None:
    """The text when it is a path on this host, such as a form may send people back to."""
    if (
        not text
        or not text.startswith("/")
        or text.startswith("//")
        or "\\" in text
        or not text.isprintable()
    ):
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc else text
