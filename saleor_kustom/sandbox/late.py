"""An ASGI application whose contents come after its address: a port is known once it listens."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Late:
    """Passes on to `app` once there is one; the sandbox starts nothing before."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self.app is None:
            raise RuntimeError("asked before the application was there")
        await self.app(scope, receive, send)
