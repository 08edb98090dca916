"""HTTP calls that leave us: a deadline for the whole call, a limit to the answer, no redirects.

httpx's read timeout is per read, so a server that drips bytes would never run into it: the
deadline here is for the call as a whole (domain rule 17). httpx 0.28's pool is quadratic in
the requests that it has in flight, so each transport carries one call at a time and idle ones are
kept in a list (durable-engine, section 3.9). Its client is left out: redirects, cookies,
authentication and events are nothing that we want, and a third of what a call costs.
"""

import asyncio
import functools
import ipaddress
import ssl
import zlib
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpcore
import httpx

from saleor_kustom import __version__
from saleor_kustom.errors import SaleorKustomError


class NotSent(SaleorKustomError):  # noqa: N818 - a verdict
    """Nothing reached the other side."""


class NoAnswer(SaleorKustomError):  # noqa: N818 - a verdict
    """It may have reached the other side, and no whole answer came back."""


#: Failures after which certainly nothing was sent. Whatever is not listed may have been.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,  # a host name or header that can't be put on the wire; answers stay bytes
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, of whatever status. Header names are looked up in any case."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)  # an order holds personal data


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return what tells whose certificates are trusted; to read them takes a tenth of a second."""
    return ssl.create_default_context()


class Outbound:
    """Makes calls. `transport` stands for the network in tests and in the sandbox.

    `deadline_s` is for a whole call, connecting included; `connect_s` for reaching the other
    side. With `allow_private_hosts=False` only addresses of the public internet are called.
    """

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
        self._transport = None if transport is None else _KeptOpen(transport)
        self._deadline_s = deadline_s
        # Reading and writing are limited by the deadline alone.
        timeout = httpx.Timeout(None, connect=connect_s, pool=connect_s)
        self._extensions = {"timeout": timeout.as_dict()}
        self._max_answer_bytes = max_answer_bytes
        self._allow_private_hosts = allow_private_hosts
        self._headers = {
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
            "User-Agent": user_agent or f"saleor-kustom/{__version__} (Saleor)",
        }
        self._ssl = _trusted() if transport is None else None
        self._idle: list[httpx.AsyncBaseTransport] = []

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
        transport = self._idle.pop() if self._idle else self._transport or self._network()
        try:
            async with asyncio.timeout(self._deadline_s if deadline_s is None else deadline_s):
                request = httpx.Request(
                    method,
                    url,
                    headers={**self._headers, **(headers or {})},
                    content=content,
                    extensions=self._extensions,
                )
                answer = await self._exchange(transport, request)
        except BaseException as error:
            await _close_quietly(transport)  # a broken connection must not be used again
            if isinstance(error, _NOT_SENT):
                raise NotSent(_described(error)) from error
            if isinstance(error, Exception):
                raise NoAnswer(_described(error)) from error
            raise
        self._idle.append(transport)
        return answer

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _exchange(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request
    ) -> Answer:
        response = await transport.handle_async_request(request)
        stream = cast("httpx.AsyncByteStream", response.stream)  # raw: not unfolded yet
        try:
            body = await _read(stream, self._max_answer_bytes)
        finally:
            await stream.aclose()
        encoding = response.headers.get("content-encoding", "").strip().lower()
        whole = _decompressed(body, encoding, self._max_answer_bytes)
        return Answer(response.status_code, response.headers, whole)

    def _network(self) -> httpx.AsyncHTTPTransport:
        transport = httpx.AsyncHTTPTransport(
            verify=self._ssl or True,
            trust_env=False,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
        )
        if not self._allow_private_hosts:
            pool = transport._pool  # noqa: SLF001 - httpx has no option for it
            pool._network_backend = _PublicOnly(pool._network_backend)  # noqa: SLF001
        return transport


class _Unreadable(Exception):  # noqa: N818 - becomes NoAnswer
    """An answer came that we do not read; the text says why and quotes nothing."""


async def _read(stream: AsyncIterable[bytes], most: int) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            raise _Unreadable(f"the answer is larger than {most} bytes")
    return bytes(body)


def _decompressed(body: bytes, encoding: str, most: int) -> bytes:
    """Undo compression, within the limit: a small answer must not unfold to fill the memory."""
    if encoding in ("", "identity") or not body:
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _Unreadable("the answer is compressed in a way that we did not ask for")
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: finds out which of both it is
    whole = unzip.decompress(body, most + 1)
    if len(whole) > most:
        raise _Unreadable(f"the answer is larger than {most} bytes")
    if not unzip.eof:
        raise _Unreadable("the compressed answer is cut short")
    return whole


class _KeptOpen(httpx.AsyncBaseTransport):
    """Keeps a given transport open when a client that used it is closed."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


class _PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only.

    The name is resolved here, once, and the very address that was judged is connected to: a
    name can't be one thing for the check and another for the call. TLS still verifies the name.
    """

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
        try:
            async with asyncio.timeout(timeout):
                addresses = await _public_addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from error
        # The second address gets its turn even when the first one swallows everything.
        share_s = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    address, port, share_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(
            addresses[-1], port, share_s, local_address, socket_options
        )


async def _public_addresses(host: str, port: int) -> list[str]:
    """Return the first address of each family, when all addresses of `host` are public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} can't be resolved") from error
    first: dict[int, str] = {}
    for family, _, _, _, (address, *_) in found:
        if not is_public(str(address)):
            raise httpcore.ConnectError(f"{host} has an address that is not public")
        first.setdefault(family, str(address))
    if not first:
        raise httpcore.ConnectError(f"{host} has no address")
    return list(first.values())


#: What Python's `is_global` lets through, or did in some 3.11, though it is nobody's public host.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform, metadata included
        "192.0.0.0/24",  # IANA's special purposes; Oracle's metadata
        "192.88.99.0/24",  # the former 6to4 relays
        "3fff::/20",  # documentation
    )
)
_IPV6_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA gives out
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet (also inside IPv6 wrappings)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _unwrapped(ip)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _IPV6_UNICAST:
        return False
    special = any(ip.version == network.version and ip in network for network in _NOT_PUBLIC)
    return ip.is_global and not ip.is_multicast and not special


def _unwrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that an IPv6 address leads to, if it is such a one."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


def _described(error: BaseException) -> str:
    """Return what went wrong without anything that was sent or received.

    Only texts of our own and of the operating system are quoted: h11 puts a header's value, so
    also a token, into its messages.
    """
    name = type(error).__name__
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer in time ({name})"
    if isinstance(error, httpx.ConnectError | _Unreadable):
        return f"{name.strip('_')}: {str(error)[:200]}"
    return name


async def _close_quietly(transport: httpx.AsyncBaseTransport) -> None:
    try:
        async with asyncio.timeout(2.0):
            await transport.aclose()
    except Exception:  # noqa: BLE001, S110 - it was broken already
        pass
