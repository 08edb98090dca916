"""A page that stands in for the Saleor Dashboard: orders, shipping, and the app in its frames."""

from saleor_kustom.sandbox.dashboard.routes import StandIn

__all__ = ["StandIn"]
