"""A server on loopback that answers as a test says, badly if asked to."""

import asyncio
import contextlib


class Serving:
    """Answers each request with the same pieces; then hangs up, or waits for the next one."""

    def __init__(self, *pieces, pause_s=0.0, hang_up=True, ssl=None):
        self.pieces, self.pause_s, self.hang_up, self.ssl = pieces, pause_s, hang_up, ssl
        self.requests = []  # the heads, as text
        self._tasks = []

    @property
    def connections(self):
        return len(self._tasks)

    async def _serve(self, reader, writer):
        self._tasks.append(asyncio.current_task())
        try:
            while True:
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self.pause_s)
                if self.hang_up:
                    return
        except (OSError, EOFError, asyncio.CancelledError, asyncio.LimitOverrunError):
            pass  # the other side has hung up, or the test is over
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def answer(body=b"", headers=(), status="200 OK"):
    """Return a whole answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
