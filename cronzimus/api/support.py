"""The glue between flask-openapi3 and the house: strict bodies, unknown parameters refused, plain data out.

What it repairs: the library computes a query model's schema on every request, reads bad JSON as
"nothing given", knows only dictionaries as answers, and documents errors as `application/json`.
"""

import functools
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, Protocol, Self
from urllib.parse import urlencode

from flask import Request, Response, current_app, request
from flask_openapi3 import APIBlueprint, Info, OpenAPI, Tag
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException

from cronzimus.api import hostile
from cronzimus.api.models import Problem
from cronzimus.api.problems import PROBLEM_JSON
from cronzimus.api.security import ANYONE, scope_of
from cronzimus.errors import Fault, Invalid, Unavailable
from cronzimus.models.faults import refusal, validated
from cronzimus.models.page import Item, Page

if TYPE_CHECKING:
    from cronzimus.jobs.job_factory import JobFactory
    from cronzimus.models.job import JobDefinition, Source
    from cronzimus.models.plan import Reloaded
    from cronzimus.operating import Operating
    from cronzimus.services.explain import Explain
    from cronzimus.services.history import History
    from cronzimus.services.readiness import ReadinessReport
    from cronzimus.services.runs import Runs
    from cronzimus.services.timetable import Timetable

V1: Final = "/api/v1"
_MOST_PARAMETERS: Final = 50
MAX_BODY: Final = "CRONZIMUS_MAX_BODY_BYTES"


class House(Protocol):
    """The services of one process; `app.py` builds the real one."""

    @property
    def timetable(self) -> "Timetable":
        """Jobs: read and change them."""

    @property
    def runs(self) -> "Runs":
        """Start, cancel and repeat runs."""

    @property
    def history(self) -> "History":
        """What happened."""

    @property
    def explain(self) -> "Explain":
        """Why something happened, or did not."""

    @property
    def factory(self) -> "JobFactory":
        """The one way a job is built."""

    def reload(self) -> "Reloaded":
        """Read the configuration again."""

    def declared_now(self) -> "list[tuple[JobDefinition, Source]]":
        """What code and files declare at this moment."""

    @property
    def operating(self) -> "Operating":
        """Seeing, being allowed, being told: what stands around the heart."""

    @property
    def readiness(self) -> "ReadinessReport":
        """Whether this process can serve."""


class HouseRequest(Request):
    """A request whose JSON is read by the one decoder."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The decoded object, or None when there is no body."""
        try:
            body = hostile.read_body(
                self.stream, announced=self.content_length, limit=current_app.config[MAX_BODY]
            )
        except OSError:
            raise hostile.Malformed("the body broke off before its end") from None
        if not body:
            return None
        hostile.check_content_type(self.mimetype, self.mimetype_params.get("charset"))
        return hostile.decode(body)

    def finish(self) -> bool:
        """Read what the client still sends, so that it can read the answer; False when it never ends."""
        if not self.content_length and "Transfer-Encoding" not in self.headers:
            return True
        with suppress(OSError, HTTPException):
            return hostile.drain(self.stream)
        return False


class Query(BaseModel):
    """Query parameters of a route; unknown ones are refused with a hint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema, computed once: the library asks for it on every request."""
        return _schema_of(cls, args, tuple(options.items()))

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic does it, refusing in our words what is repeated, unclean or unknown."""
        _refuse_odd_parameters()
        return validated(cls, obj, functools.partial(super().model_validate, **options))


@functools.cache
def _schema_of(
    cls: type[Query], args: tuple[Any, ...], options: tuple[tuple[str, Any], ...]
) -> dict[str, Any]:
    return super(Query, cls).model_json_schema(*args, **dict(options))


class Body(BaseModel):
    """A JSON object a route accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    may_be_absent: ClassVar[bool] = False

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic does it; an absent body stands for `{}` where that is allowed."""
        given = {} if obj is None and cls.may_be_absent else required_body(obj)
        return validated(cls, given, functools.partial(super().model_validate, **options))


class Api(OpenAPI):
    """Flask with the document of its routes; views may return models, dataclasses and plain data."""

    request_class = HouseRequest

    def __init__(self, *, info: Info, is_open: bool) -> None:
        super().__init__(
            "cronzimus",
            info=info,
            security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
            doc_ui=False,
            static_folder=None,
            operation_id_callback=_operation_id,
            validation_error_callback=_refuse,
            validation_error_model=Problem,
        )
        self._is_open = is_open
        self.url_map.merge_slashes = False

    def make_response(self, rv: Any) -> Response:
        """Turn what a view returns into bytes once, in Rust."""
        body, *rest = rv if isinstance(rv, tuple) else (rv,)
        if isinstance(body, dict | list | BaseModel) or is_dataclass(body):
            body = Response(to_json(body, inf_nan_mode="null"), mimetype="application/json")
        return super().make_response((body, *rest) if rest else body)

    @functools.cached_property
    def api_doc(self) -> dict[str, Any]:
        """The OpenAPI document: the library's, with our errors and who may call what."""
        document: dict[str, Any] = super().api_doc
        for rule in self.url_map.iter_rules():
            item = document["paths"].get(re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule), {})
            for method in (rule.methods or set()) & {name.upper() for name in item}:
                _complete(item[method.lower()], scope_of(self.view_functions[rule.endpoint]), self._is_open)
        return document


def blueprint(name: str, prefix: str = V1) -> APIBlueprint:
    """A group of routes that appears under its own name in the document."""
    return APIBlueprint(
        name, __name__, url_prefix=prefix, abp_tags=[Tag(name=name)], operation_id_callback=_operation_id
    )


def house() -> House:
    """The services behind the routes."""
    try:
        found: House = current_app.extensions["cronzimus"]
    except KeyError:
        raise Unavailable("the service is still starting", code="STARTING") from None
    return found


def required_body(given: Any) -> Any:
    """The body, which must be there."""
    if given is None:
        raise hostile.Malformed("the body is empty; send a JSON object", code="BODY_MISSING")
    return given


def page_of(page: Page[Item], show: Callable[[Item], Mapping[str, Any]]) -> tuple[dict[str, Any], int, Any]:
    """A list answer with links to its neighbours."""
    body = {
        "items": [show(item) for item in page.items],
        "total": page.total,
        "limit": page.limit,
        "offset": page.offset,
    }
    links = _links(page)
    return body, 200, {"Link": links} if links else {}


def _links(page: Page[Any]) -> str:
    offsets = {"first": 0} if page.offset else {}
    if page.offset:
        offsets["prev"] = max(0, page.offset - page.limit)
    if page.offset + page.limit < page.total:
        offsets["next"] = page.offset + page.limit
    return ", ".join(f'<{_this_url(page.limit, offset)}>; rel="{name}"' for name, offset in offsets.items())


def _this_url(limit: int, offset: int) -> str:
    kept = {name: value for name, value in request.args.items() if name not in ("limit", "offset")}
    return f"{request.path}?{urlencode({**kept, 'limit': limit, 'offset': offset})}"


def _refuse_odd_parameters() -> None:
    if len(request.args) > _MOST_PARAMETERS:
        raise Invalid(f"the query has more than {_MOST_PARAMETERS} parameters")
    for name, values in request.args.lists():
        for text in (name, *values):
            hostile.refuse_unclean("the query", text)
        if len(values) > 1:
            fault = Fault(name[:60], "is given more than once")
            raise Invalid(f"{fault.field}: {fault.message}", faults=(fault,))


def _refuse(error: ValidationError) -> NoReturn:
    raise refusal(error)


def _operation_id(*, name: str, path: str, method: str) -> str:
    return name


def _complete(operation: dict[str, Any], scope: str | None, is_open: bool) -> None:
    """Every operation may answer with a problem, in the media type it really has, and wants its scope."""
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses["default"] = {"description": "What went wrong", "content": content}
    wanted: list[dict[str, list[str]]] = [] if scope in (None, ANYONE) else [{"bearer": [str(scope)]}]
    operation["security"] = [{}, *wanted] if wanted and is_open else wanted
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            parameter["schema"] = _without_null(parameter["schema"])


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query cannot carry null: what is absent is left out."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    kept = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    return {**kept, **kinds[0]} if len(kinds) == 1 else schema
