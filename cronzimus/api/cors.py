"""Pages of other origins, for those who list them in `api.cors_origins`."""

from flask import Flask, Response, request

from cronzimus.api.gate import Gate

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = "ETag, Link, Location, Retry-After, X-Request-ID"


def register_cors(app: Flask, gate: Gate) -> None:
    """Tell browsers which pages may read the answers."""

    @app.after_request
    def _add_headers(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if origin is not None and gate.allows_origin(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            response.vary.add("Origin")
            if request.method == "OPTIONS":
                response.headers.update(_ALLOWED)
        return response
