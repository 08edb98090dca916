"""No library's exception leaves Outbound, and no other side can hold it up or fill it."""

import asyncio
import contextlib
import gzip
import ssl
import tracemalloc
import zlib

import anyio
import h11
import httpcore
import httpx
import pytest

from saleor_kustom.outbound import NoAnswer, NotSent, Outbound
from tests.serving import Serving, answer

URL = "http://kustom.test/orders"
SECRET = "hush-hush"
HEADERS = {"Authorization": f"Basic {SECRET}"}


def every(kind):
    return {kind}.union(*(every(below) for below in kind.__subclasses__()))


def made(kind):
    """Make an exception of a kind, with the secret in its text."""
    for given_values in ((SECRET,), (SECRET, 400), (), ("ascii", "x", 0, 1, SECRET)):
        with contextlib.suppress(TypeError):
            return kind(*given_values)
    return kind(SECRET, request=httpx.Request("GET", URL), response=httpx.Response(500))


HTTPX = every(httpx.HTTPError) | every(httpx.StreamError) | {httpx.InvalidURL, httpx.CookieConflict}
HTTPCORE = {
    kind
    for kind in vars(httpcore).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
}
OTHERS = {
    OSError, ConnectionResetError, ConnectionRefusedError, BrokenPipeError, TimeoutError,
    ssl.SSLError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLCertVerificationError,
    h11.LocalProtocolError, h11.RemoteProtocolError, zlib.error, EOFError,
    anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError,
    ValueError, RuntimeError, KeyError, AssertionError, UnicodeEncodeError,
}  # fmt: skip
#: Written out on purpose: what else is added to the code must be added here.
NOT_SENT = {
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
    httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeEncodeError,
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(HTTPX | HTTPCORE | OTHERS, key=str), ids=str)
async def test_every_way_a_library_can_fail_becomes_one_of_two_verdicts(kind):
    async def fail(_request):
        raise made(kind)

    outbound = Outbound(transport=httpx.MockTransport(fail))
    with pytest.raises(NotSent if kind in NOT_SENT else NoAnswer) as raised:
        await outbound.request("POST", URL, headers=HEADERS, content=b"{}")
    if kind is not httpx.ConnectError:  # the operating system's words are quoted
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("kind", sorted(HTTPX | HTTPCORE | OTHERS, key=str), ids=str)
async def test_a_failure_in_the_middle_of_the_answer_does_not_pass_either(kind):
    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"half"
            raise made(kind)

    outbound = Outbound(transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Body())))
    with pytest.raises((NotSent, NoAnswer)):
        await outbound.request("GET", URL)


@pytest.mark.parametrize(
    "url", ["", "kustom.test", "ftp://kustom.test", "http://", "http://[::1", "http://a:999999/"]
)
async def test_what_is_no_address_was_not_sent(url):
    outbound = Outbound(transport=httpx.AsyncHTTPTransport())
    with pytest.raises(NotSent):
        await outbound.request("GET", url)
    await outbound.aclose()


async def test_a_name_that_no_resolver_takes_was_not_sent():
    outbound = Outbound()
    with pytest.raises(NotSent):
        await outbound.request("GET", f"http://{'a' * 70}.test/")


async def test_a_header_that_cannot_be_sent_is_not_quoted():
    outbound = Outbound()
    with pytest.raises((NotSent, NoAnswer)) as raised:
        await outbound.request("GET", "http://127.0.0.1:1/", headers={"X": f"{SECRET}\nå"})
    assert SECRET not in str(raised.value)


async def no_answer(outbound, url, verdict=NoAnswer, **more):
    with pytest.raises(verdict) as raised:
        await outbound.request("GET", url, **more)
    await outbound.aclose()
    return str(raised.value)


async def test_a_server_that_hangs_is_left_at_the_deadline():
    async with Serving(hang_up=False) as there:
        assert "in time" in await no_answer(Outbound(deadline_s=0.2), there.url)


async def test_a_call_may_have_its_own_deadline():
    async with Serving(hang_up=False) as there:
        await no_answer(Outbound(deadline_s=600), there.url, deadline_s=0.2)


async def test_a_server_that_drips_is_left_at_the_same_deadline():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    async with Serving(head, *[b"x"] * 1000, pause_s=0.02) as there:
        assert "in time" in await no_answer(Outbound(deadline_s=0.3), there.url)


async def test_a_large_answer_is_cut_off_whether_or_not_it_says_its_length():
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    for pieces in ((answer(b"x" * 1001),), (endless, *[chunk] * 10_000)):
        async with Serving(*pieces) as there:
            assert "1000 bytes" in await no_answer(Outbound(max_answer_bytes=1000), there.url)


async def test_an_answer_of_exactly_the_limit_is_taken():
    async with Serving(answer(b"x" * 1000)) as there:
        outbound = Outbound(max_answer_bytes=1000)
        assert len((await outbound.request("GET", there.url)).body) == 1000
        await outbound.aclose()


async def test_a_small_answer_that_unfolds_to_a_large_one_is_cut_off_before_it_fills_memory():
    bomb = gzip.compress(b"0" * 20_000_000)
    async with Serving(answer(bomb, ["Content-Encoding: gzip"])) as there:
        tracemalloc.start()
        try:
            assert "larger" in await no_answer(Outbound(max_answer_bytes=1_000_000), there.url)
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"whole" * 1000, mtime=0)[:-20]),
        ("gzip", b"no gzip at all"),
        ("br", b"whole"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"whole", mtime=0), mtime=0)),
    ],
    ids=["cut short", "not compressed", "not asked for", "twice"],
)
async def test_a_compressed_answer_that_is_not_whole_is_none(encoding, body):
    async with Serving(answer(body, [f"Content-Encoding: {encoding}"])) as there:
        await no_answer(Outbound(), there.url)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_a_compressed_answer_is_unfolded(encoding, compress):
    compressed = compress(b"whole")
    async with Serving(answer(compressed, [f"Content-Encoding: {encoding}"])) as there:
        outbound = Outbound()
        assert (await outbound.request("GET", there.url)).body == b"whole"
        await outbound.aclose()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense hush-hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: hush-hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhush-hush\r\n",
    ],
)
async def test_an_answer_that_is_none_is_no_answer_and_not_quoted(said):
    async with Serving(said) as there:
        assert SECRET not in await no_answer(Outbound(), there.url)


async def test_a_port_without_a_server_was_not_sent_to():
    async with Serving() as there:
        url = there.url
    await no_answer(Outbound(), url, verdict=NotSent)


async def test_a_server_that_speaks_no_tls_was_not_sent_to():
    async with Serving(answer()) as there:
        await no_answer(Outbound(), there.url.replace("http:", "https:"), verdict=NotSent)
        assert there.requests == []


async def test_a_redirect_is_an_answer_and_not_followed():
    async with Serving(answer()) as target:
        there = answer(headers=[f"Location: {target.url}"], status="302 Found")
        async with Serving(there) as redirecting:
            outbound = Outbound()
            assert (await outbound.request("GET", redirecting.url)).status == 302
            await outbound.aclose()
        assert target.connections == 0


async def test_the_environment_names_no_proxy_for_us(monkeypatch):
    async with Serving(answer()) as there, Serving(answer()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        outbound = Outbound()
        await outbound.request("GET", there.url)
        await outbound.aclose()
        assert (there.connections, proxy.connections) == (1, 0)


async def test_cookies_of_one_call_are_not_sent_with_the_next():
    async with Serving(answer(headers=["Set-Cookie: session=shop-1"]), hang_up=False) as there:
        outbound = Outbound()
        for _ in range(2):
            await outbound.request("GET", there.url)
        await outbound.aclose()
        assert "cookie" not in there.requests[1].lower()


async def test_calls_one_after_another_share_a_connection_and_calls_at_once_do_not():
    async with Serving(answer(), pause_s=0.05, hang_up=False) as there:
        outbound = Outbound()
        await outbound.request("GET", there.url)
        await outbound.request("GET", there.url)
        assert there.connections == 1
        await asyncio.gather(*(outbound.request("GET", there.url) for _ in range(5)))
        assert there.connections == 5
        await outbound.aclose()


async def test_after_a_failure_the_connection_is_not_used_again():
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    async with Serving(half, hang_up=False) as there:
        outbound = Outbound(deadline_s=0.2)
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await outbound.request("GET", there.url)
        assert there.connections == 2


async def test_a_connection_that_cannot_even_be_closed_hides_no_verdict(monkeypatch):
    async def fail(_client):
        raise OSError("bad file descriptor")

    monkeypatch.setattr(httpx.AsyncClient, "aclose", fail)
    async with Serving() as there:
        with pytest.raises(NoAnswer):
            await Outbound().request("GET", there.url)


async def test_a_caller_that_is_cancelled_is_cancelled():
    async with Serving(hang_up=False) as there:
        call = asyncio.create_task(Outbound().request("GET", there.url))
        while not there.requests:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_it_says_who_it_is():
    async with Serving(answer(), hang_up=False) as there:
        for outbound in (Outbound(), Outbound(user_agent="us/1 (Saleor; +us@example.com)")):
            await outbound.request("GET", there.url)
            await outbound.aclose()
        assert "User-Agent: saleor-kustom/" in there.requests[0]
        assert "User-Agent: us/1 (Saleor; +us@example.com)" in there.requests[1]
        assert "httpx" not in "".join(there.requests)


async def test_an_answer_shows_nothing_of_its_contents():
    body = httpx.Response(200, text=SECRET, headers={"X-Token": SECRET})
    outbound = Outbound(transport=httpx.MockTransport(lambda _: body))
    shown = await outbound.request("GET", URL)
    assert shown.body == SECRET.encode()
    assert shown.headers["x-token"] == SECRET
    assert SECRET not in repr(shown)
