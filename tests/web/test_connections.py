"""What one client may take from the server: time, bytes, places. Over real connections."""

import asyncio
import contextlib
import socket

import httpx
import pytest

from saleor_kustom.web.connections import ConnectionLimits, _InOnePiece
from saleor_kustom.web.listen import listening, make_room
from tests.web.edge import open_edge

#: A wait that tests can sit out; the others must never come to it.
SHORT = ConnectionLimits(wait_s=0.3)
MANY = 1000


@contextlib.asynccontextmanager
async def serving(web, limits=None):
    async with listening(web, "127.0.0.1", 0, limits=limits) as address:
        yield int(address.rsplit(":", 1)[1])


async def ok(scope, receive, send):
    """An application that reads the body and says how long it was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    text = str(size).encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def talk(port, *pieces, pause_s=0.0):
    """Send pieces, and return all that comes until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:  # it hung up while we were sending
        return b""
    finally:
        writer.close()


async def drip(port, first, byte=b"x", every_s=0.02):
    """Send one byte after another until the server hangs up; return what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    said = asyncio.create_task(_all_of(reader))
    for _ in range(1500):
        if said.done():
            break
        with contextlib.suppress(ConnectionError):
            writer.write(byte)
            await writer.drain()
        await asyncio.sleep(every_s)
    writer.close()
    return await asyncio.wait_for(said, 1)


async def _all_of(reader):
    """Return what was said before the end, also where that end is a reset."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            said += piece
    return said


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "byte"),
    [
        pytest.param(b"", b"G", id="a request line"),
        pytest.param(b"GET / HTTP/1.1\r\nX-A: ", b"x", id="a header"),
        pytest.param(POST, b"x", id="a body"),
        pytest.param(CHUNKED, b"1\r\nx\r\n", id="chunks"),
        pytest.param(CHUNKED + b"0\r\nX-A: ", b"x", id="a trailer"),
        pytest.param(GET + b"GET / HTTP/1.1\r\nX-A: ", b"x", id="a second request"),
    ],
)
async def test_a_slow_loris_is_left(first, byte):
    async with serving(ok, SHORT) as port:
        said = await drip(port, first, byte)
        assert said.count(b"HTTP/1.1 200") == first.startswith(b"GET / HTTP/1.1\r\nHost")


async def test_a_client_that_says_nothing_is_left():
    async with serving(ok, SHORT) as port:
        assert await talk(port) == b""


async def test_a_client_that_does_not_take_its_answer_is_left():
    gone = asyncio.Event()

    async def endless(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        gone.set()

    async with serving(endless, SHORT) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(GET)
        await asyncio.wait_for(gone.wait(), 30)
        writer.close()


async def test_an_answer_that_takes_long_to_make_is_waited_for():
    async def slow(scope, receive, send):
        await asyncio.sleep(SHORT.wait_s * 4)
        await ok(scope, receive, send)

    async with serving(slow, SHORT) as port:
        assert b"200 OK" in await talk(port, GET.replace(b"Host", b"Connection: close\r\nHost"))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", id="many headers"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9_000, id="headers without an end"),
        pytest.param(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 90_000, id="a header without an end"),
        pytest.param(CHUNKED + b"0\r\nX-A: " + b"a" * 90_000, id="a trailer without an end"),
        pytest.param(CHUNKED + b"1;" + b"a" * 90_000, id="a chunk's extension without an end"),
    ],
)
async def test_a_head_that_is_too_large_is_refused(request_):
    async with serving(ok) as port:
        pieces = [request_[i : i + 8000] for i in range(0, len(request_), 8000)]
        said = await talk(port, *pieces, pause_s=0.001)
        assert said.startswith(b"HTTP/1.1 431") or said == b""  # or it hung up on us
        assert b"200 OK" not in said


async def test_trailers_are_not_taken_for_headers():
    seen = []

    async def app(scope, receive, send):
        await ok(scope, receive, send)
        seen.extend(scope["headers"])

    async with serving(app) as port:
        await talk(
            port, CHUNKED.replace(b"Host", b"Connection: close\r\nHost"),
            b"1\r\nx\r\n0\r\nSaleor-Api-Url: http://evil.test/\r\n\r\n",
        )  # fmt: skip
    assert b"saleor-api-url" not in dict(seen)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(POST[:-2] + b"Content-Length: 2\r\n\r\n", id="two lengths"),
        pytest.param(POST[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both"),
        pytest.param(CHUNKED.replace(b"chunked", b"chunked, x") + b"0\r\n\r\n", id="encodings"),
        pytest.param(b"GET / HTTP/1.1\r\nX A: b\r\n\r\n", id="a space in a name"),
        pytest.param(b"GET / HTTP/1.1\r\nX-A: b\x00\r\n\r\n", id="a NUL"),
        pytest.param(b"GET / HTTP/1.1\r\n folded: b\r\n\r\n", id="a folded header"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n\r\n", id="a path that is not ASCII"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="a version"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS"),
        pytest.param(CHUNKED + b"zz\r\n", id="a chunk's size"),
    ],
)
async def test_what_two_programs_could_read_differently_is_refused(request_):
    async with serving(ok, SHORT) as port:
        said = await talk(port, request_)
        assert said == b"" or said.startswith(b"HTTP/1.1 4")


async def test_requests_that_are_sent_ahead_are_few():
    started = []

    async def waiting(scope, receive, send):
        started.append(1)
        await asyncio.sleep(0.2)
        await ok(scope, receive, send)

    async with serving(waiting) as port:
        said = await talk(port, GET * 3000)
        assert said.count(b"200 OK") <= 18
        assert len(started) <= 18


async def test_a_few_requests_ahead_are_answered_in_order():
    async with serving(ok) as port:
        last = GET.replace(b"Host", b"Connection: close\r\nHost")
        assert (await talk(port, GET * 9 + last)).count(b"200 OK") == 10


@contextlib.contextmanager
def idle(port, count):
    """Hold idle connections, half of them in the middle of a head."""
    held = []
    try:
        for number in range(count):
            one = socket.create_connection(("127.0.0.1", port))
            held.append(one)
            if number % 2:
                with contextlib.suppress(ConnectionError):
                    one.sendall(b"POST /api/webhooks/saleor/fulfillment_created HTTP/1.1\r\nX: ")
        yield held
    finally:
        for one in held:
            one.close()


async def test_a_thousand_idle_connections_leave_deliveries_flowing(sqlite_url):
    make_room()
    limits = ConnectionLimits(most=200)  # five idle ones for each place
    async with open_edge(sqlite_url) as edge:
        await edge.world.install()
        async with serving(edge.world.app.web, limits) as port:
            taken = 0
            with contextlib.ExitStack() as stack:
                for _ in range(10):
                    hold = idle(port, MANY // 10)
                    await asyncio.to_thread(stack.enter_context, hold)
                    taken += await delivered(edge, port)
            assert taken == 10
            assert await edge.stored() == 10


async def delivered(edge, port):
    delivery = await edge.delivery()
    headers = {name.lower(): value for name, value in delivery.headers}
    url = f"http://127.0.0.1:{port}/api/webhooks/saleor/{delivery.event}"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.post(url, headers=headers, content=delivery.body)
    return answer.status_code == 200


async def test_the_one_that_is_waited_for_longest_makes_room():
    async with serving(ok, ConnectionLimits(most=2)) as port:
        first, first_writer = await asyncio.open_connection("127.0.0.1", port)
        first_writer.write(b"GET / HT")
        second, second_writer = await asyncio.open_connection("127.0.0.1", port)
        second_writer.write(GET)
        assert await second.readuntil(b"\r\n\r\n0")
        assert b"200 OK" in await talk(port, GET.replace(b"Host", b"Connection: close\r\nHost"))
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(first.read(), 30) == b""
        first_writer.close()
        second_writer.close()


async def test_when_all_are_at_work_one_more_is_closed():
    go, at_work = asyncio.Event(), asyncio.Semaphore(0)

    async def busy(scope, receive, send):
        at_work.release()
        await go.wait()
        await ok(scope, receive, send)

    async with serving(busy, ConnectionLimits(most=2)) as port:
        close = GET.replace(b"Host", b"Connection: close\r\nHost")
        working = [asyncio.create_task(talk(port, close)) for _ in range(2)]
        for _ in working:
            await asyncio.wait_for(at_work.acquire(), 30)
        assert await talk(port, close) == b""
        go.set()
        assert all(b"200 OK" in said for said in await asyncio.gather(*working))


def test_there_is_room_for_the_files_that_connections_need():
    import resource

    make_room()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1500


class Wire:
    """A transport that keeps what is written, piece by piece."""

    def __init__(self):
        self.pieces, self.closed = [], False

    def write(self, data):
        self.pieces.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


async def test_head_and_body_of_an_answer_are_written_at_once():
    wire = Wire()
    together = _InOnePiece(wire)
    together.write(b"head")
    together.write(b"body")
    assert wire.pieces == []
    await asyncio.sleep(0)
    assert wire.pieces == [b"headbody"]
    assert not together.is_closing()  # all else is the transport's own
    together.write(b"next")
    await asyncio.sleep(0)
    assert wire.pieces == [b"headbody", b"next"]


async def test_a_large_answer_is_not_kept_back():
    wire = Wire()
    together = _InOnePiece(wire)
    together.write(b"head")
    together.write(b"x" * 40_000)
    assert len(wire.pieces) == 1
    await asyncio.sleep(0)
    assert len(wire.pieces) == 1


async def test_what_was_written_before_closing_still_goes():
    wire = Wire()
    together = _InOnePiece(wire)
    together.write(b"last words")
    together.close()
    assert (wire.pieces, wire.closed) == ([b"last words"], True)
