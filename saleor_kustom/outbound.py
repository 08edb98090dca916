"""HTTP calls that leave us: a deadline for the whole call, a limit to the answer, no redirects.

httpx's read timeout is per read, so a server that drips bytes would never run into it: the
deadline here is for the call as a whole (domain rule 17). httpx 0.28's pool is quadratic in
the requests that one client has in flight, so each client carries one call at a time and idle
ones are kept in a list (durable-engine, section 3.9).
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from saleor_kustom import __version__
from saleor_kustom.errors import SaleorKustomError

#: Failures after which certainly nothing of the request was read by the other side.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)


class NotSent(SaleorKustomError):  # noqa: N818 - a verdict
    """Nothing reached the other side."""


class NoAnswer(SaleorKustomError):  # noqa: N818 - a verdict
    """It may have reached the other side, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, of whatever status. Header names are looked up in any case."""

    status: int
    headers: httpx.Headers
    body: bytes


class Outbound:
    """Makes calls. `transport` stands for the network in tests and in the sandbox."""

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        deadline_s: float = 40.0,
        connect_s: float = 5.0,
        max_answer_bytes: int = 5_000_000,
        allow_private_hosts: bool = True,
        user_agent: str | None = None,
    ) -> None:
        self._transport = transport
        self._deadline_s = deadline_s
        self._timeout = httpx.Timeout(deadline_s, connect=connect_s)
        self._max_answer_bytes = max_answer_bytes
        self._allow_private_hosts = allow_private_hosts
        self._user_agent = user_agent or f"saleor-kustom/{__version__} (Saleor)"
        self._ssl = None if transport else ssl.create_default_context()
        self._idle: list[httpx.AsyncClient] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        deadline_s: float | None = None,
    ) -> Answer:
        """Make one call. Raises NotSent or NoAnswer, nothing else."""
        client = self._idle.pop() if self._idle else self._client()
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                answer = await self._exchange(client, method, url, headers, content)
        except BaseException as error:
            await _close_quietly(client)  # a broken connection must not be used again
            if isinstance(error, _NOT_SENT):
                raise NotSent(_described(error)) from error
            if isinstance(error, Exception):
                raise NoAnswer(_described(error)) from error
            raise
        self._idle.append(client)
        return answer

    async def aclose(self) -> None:
        """Close the idle clients."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _exchange(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> Answer:
        async with client.stream(method, url, headers=headers, content=content) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_answer_bytes:
                    raise httpx.RemoteProtocolError("the answer is too large")
            return Answer(response.status_code, response.headers, bytes(body))

    def _client(self) -> httpx.AsyncClient:
        transport = self._transport
        if transport is None:
            transport = self._network()
        return httpx.AsyncClient(
            transport=_Shared(transport) if self._transport else transport,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": self._user_agent},
        )

    def _network(self) -> httpx.AsyncHTTPTransport:
        if self._ssl is None:
            raise AssertionError("only a given transport goes without TLS settings")
        transport = httpx.AsyncHTTPTransport(
            verify=self._ssl,
            trust_env=False,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
        )
        if not self._allow_private_hosts:
            # The address is judged where the connection is made, after the name was resolved,
            # so that a name can't resolve to one thing for the check and another for the call.
            transport._pool._network_backend = _PublicOnly(  # noqa: SLF001 - httpx has no option
                transport._pool._network_backend  # noqa: SLF001
            )
        return transport


class _Shared(httpx.AsyncBaseTransport):
    """Keeps a given transport open when a client that used it is closed."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


class _PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only: the name is resolved here and the address is used."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await _public_address(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("unix sockets are not public")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _public_address(host: str, port: int) -> str:
    """Return an address of `host`, when all of them are public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} can't be resolved") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise httpcore.ConnectError(f"{host} has an address that is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet (also inside IPv6 wrappings)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is not None:
            ip = wrapped
    return ip.is_global and not ip.is_multicast


def _described(error: BaseException) -> str:
    """Return what went wrong without anything that was sent."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer in time ({type(error).__name__})"
    return f"{type(error).__name__}: {str(error)[:200]}"


async def _close_quietly(client: httpx.AsyncClient) -> None:
    try:
        async with asyncio.timeout(2.0):
            await client.aclose()
    except Exception:  # noqa: BLE001, S110 - it was broken already
        pass
