"""The least HTTP/1.1 that both ends of the benchmark need: whole messages with a length."""

import re
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Message:
    """A request or an answer: its first line with the headers, and its body."""

    head: bytes
    body: bytes


class Reader:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._kept = b""

    def take(self, arrived: bytes) -> Message | None:
        """Return the message that is whole by now; nobody here sends a second one before."""
        self._kept += arrived
        head, end, rest = self._kept.partition(b"\r\n\r\n")
        if not end:
            return None
        length = _LENGTH.search(head)
        if len(rest) < (int(length[1]) if length else 0):
            return None
        self._kept = b""
        return Message(head, rest)


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a request as it is written to the connection."""
    fields = {**headers, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """Return an answer as it is written to the connection."""
    fields = {**headers, "content-type": "application/json", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + body
