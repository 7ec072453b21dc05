"""The pages: what people see in a browser, over the same services as the routes."""

from cronzimus.web.site import register_pages

__all__ = ["register_pages"]
