"""The pages in the Saleor Dashboard: what Kustom did with each parcel, and what needs a person.

Pages are cheap static shells; their contents are fragments of HTML that are fetched with the
Dashboard's bearer token after its handshake (saleor-app-protocol, part B). There are no cookies, so
there is no CSRF, and no inline script or style.
"""

from saleor_kustom.web.dashboard.routes import Dashboard

__all__ = ["Dashboard"]
