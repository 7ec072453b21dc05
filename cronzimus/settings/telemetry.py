"""What the service tells those who watch it from outside."""

from pydantic import Field

from cronzimus.settings.types import Section


class TelemetrySettings(Section):
    """Metrics and traces."""

    metrics_enabled: bool = Field(default=True, description="Serve metrics.")
    metrics_public: bool = Field(
        default=False, description="Serve metrics without a token; otherwise they want the scope read."
    )
    metrics_endpoint: str = Field(
        default="/metrics", pattern="^/[a-z0-9/_-]+$", description="Where metrics are served."
    )
    tracing_enabled: bool = Field(
        default=False, description="Send spans to a collector; wants the extra otel."
    )
    otlp_endpoint: str = Field(
        default="http://127.0.0.1:4318",
        pattern="^https?://",
        description="The collector that receives spans, by OTLP over HTTP.",
    )
    service_name: str = Field(
        default="cronzimus", min_length=1, max_length=200, description="How spans name this service."
    )
