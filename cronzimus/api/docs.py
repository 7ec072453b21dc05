"""The API document and the page that shows it, from files of this machine only."""

from importlib.resources import files
from typing import Any, Final

from flask import Response, abort, current_app
from flask_openapi3 import APIBlueprint
from markupsafe import Markup
from pydantic import BaseModel

from cronzimus.api.security import needs
from cronzimus.api.support import V1, Api, blueprint

OPENAPI_URL: Final = f"{V1}/openapi.json"
PAGE_URL: Final = "CRONZIMUS_DOCS_URL"

_ASSETS: Final = {
    "swagger-ui.css": ("css/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("js/swagger-ui-bundle.js", "text/javascript"),
    "logo.svg": ("images/swagger.svg", "image/svg+xml"),
}
# Swagger UI writes style attributes; everything else it needs comes from this host.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}</title>
<link rel="icon" href="{url}/logo.svg">
<link rel="stylesheet" href="{url}/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="{url}/swagger-ui-bundle.js"></script>
<script src="{url}/start.js"></script>
</body>
</html>
""")
# Unless told otherwise the page would ask a validator on another host.
_START: Final = f"""SwaggerUIBundle({{
  url: "{OPENAPI_URL}",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout"
}});
"""


class AssetPath(BaseModel):
    """A file the page is made of."""

    name: str


def docs_routes(url: str) -> APIBlueprint:
    """The routes of the document and of its page at `url`."""
    docs = blueprint("docs", prefix="")
    docs.get(OPENAPI_URL, responses={200: _media("application/json", "object")})(get_document)
    docs.get(url, responses={200: _media("text/html", "string")})(get_page)
    docs.get(f"{url}/<name>", responses={200: _media("*/*", "string")})(get_asset)
    return docs


@needs("read")
def get_document() -> dict[str, Any]:
    """This document (OpenAPI 3.1)."""
    return _api().api_doc


@needs("read")
def get_page() -> Response:
    """A page that shows this document; it asks no other host."""
    api = _api()
    return _offline(_PAGE.format(name=api.info.title, url=api.config[PAGE_URL]), "text/html")


@needs("read")
def get_asset(path: AssetPath) -> Response:
    """A file the page is made of."""
    if path.name == "start.js":
        return _offline(_START, "text/javascript")
    if path.name not in _ASSETS:
        abort(404)
    place, mimetype = _ASSETS[path.name]
    content = files("flask_openapi3_swagger").joinpath("templates", "swagger", *place.split("/")).read_bytes()
    return _offline(content, mimetype)


def _api() -> Api:
    app: Any = current_app
    if not isinstance(found := app._get_current_object(), Api):
        raise TypeError("the document belongs to an app made by build_flask")
    return found


def _offline(content: str | bytes, mimetype: str) -> Response:
    return Response(content, mimetype=mimetype, headers={"Content-Security-Policy": _POLICY})


def _media(mimetype: str, kind: str) -> dict[str, Any]:
    return {"content": {mimetype: {"schema": {"type": kind}}}}
