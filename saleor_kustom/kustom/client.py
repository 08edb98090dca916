"""Call Kustom's Order Management API; every way that a call can end is one of our verdicts.

Contract: kustom-order-management. `Refused`: asking again changes nothing. `Unavailable`: it
did not happen. `OutcomeUnknown`: a write may have happened; look before sending again.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable
from saleor_kustom.kustom.wire import Nonsense, read_captures, read_error, read_order
from saleor_kustom.outbound import Answer, NoAnswer, NotSent, Outbound

#: Statuses with which Kustom says a definite no, when the body is its error object.
_REFUSALS = frozenset({400, 403, 404, 413, 415, 422})
#: Statuses after which the operation certainly did not run.
_BUSY = frozenset({401, 409, 429})


@dataclass(frozen=True, slots=True)
class Captured:
    """Kustom confirmed a capture."""

    capture_id: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """Kustom confirmed a refund."""

    refund_id: str
    correlation_id: str | None = None


class KustomClient:
    """One method an operation. `hosts`: base URL by environment."""

    def __init__(self, outbound: Outbound, *, hosts: Mapping[str, str]) -> None:
        self._outbound = outbound
        self._hosts = hosts

    async def order(self, account: Account, kustom_order_id: str) -> Authorization:
        """Read an order. Raises Refused (404: not this merchant's) or Unavailable."""
        answer = await self._call("GET", account, kustom_order_id, "")
        try:
            return read_order(answer.body)
        except Nonsense as error:
            raise _nonsense(answer, str(error)) from error

    async def captures(self, account: Account, kustom_order_id: str) -> tuple[KustomCapture, ...]:
        """List an order's captures. Raises Refused or Unavailable."""
        answer = await self._call("GET", account, kustom_order_id, "/captures")
        try:
            return read_captures(answer.body)
        except Nonsense as error:
            raise _nonsense(answer, str(error)) from error

    async def capture(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> Captured:
        """Capture. The id comes in a header; if a proxy stripped it, it is looked up.

        Raises Refused, Unavailable or OutcomeUnknown.
        """
        answer = await self._call("POST", account, kustom_order_id, "/captures", body=body, key=key)
        correlation_id = _correlation_id(answer)
        capture_id = _made(answer, "capture-id")
        if capture_id is None:
            capture_id = await self._find(account, kustom_order_id, body)
        return Captured(capture_id, correlation_id)

    async def add_shipping_info(
        self, account: Account, kustom_order_id: str, capture_id: str, *, body: str, key: str
    ) -> None:
        """Append tracking to a capture; Kustom never replaces. Raises the three verdicts."""
        path = f"/captures/{_segment(capture_id)}/shipping-info"
        await self._call("POST", account, kustom_order_id, path, body=body, key=key)

    async def refund(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> Refunded:
        """Refund. Raises the three verdicts; without an id in the answer OutcomeUnknown."""
        answer = await self._call("POST", account, kustom_order_id, "/refunds", body=body, key=key)
        refund_id = _made(answer, "refund-id")
        if refund_id is None:
            raise OutcomeUnknown("NO_REFUND_ID", status=answer.status)
        return Refunded(refund_id, _correlation_id(answer))

    async def cancel(self, account: Account, kustom_order_id: str, *, key: str) -> None:
        """Cancel an order that has no captures. Raises the three verdicts."""
        await self._call("POST", account, kustom_order_id, "/cancel", key=key)

    async def release_remaining(self, account: Account, kustom_order_id: str, *, key: str) -> None:
        """Release what is not captured. Raises the three verdicts."""
        path = "/release-remaining-authorization"
        await self._call("POST", account, kustom_order_id, path, key=key)

    async def extend_authorization(
        self, account: Account, kustom_order_id: str, *, key: str
    ) -> None:
        """Extend the authorization's time. Raises the three verdicts."""
        path = "/extend-authorization-time"
        await self._call("POST", account, kustom_order_id, path, key=key)

    async def set_merchant_references(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> None:
        """Set merchant references; a field that is present overwrites. Raises the verdicts."""
        path = "/merchant-references"
        await self._call("PATCH", account, kustom_order_id, path, body=body, key=key)

    async def _find(self, account: Account, kustom_order_id: str, body: str) -> str:
        """Find the capture that a 2xx without id made: our reference with the same amount."""
        sent = json.loads(body)
        try:
            listed = await self.captures(account, kustom_order_id)
        except CallError as error:
            raise OutcomeUnknown("NO_CAPTURE_ID", (str(error),)) from error
        wanted = (sent.get("reference"), sent["captured_amount"])
        matches = [c.capture_id for c in listed if (c.reference, c.amount_minor) == wanted]
        if len(matches) != 1:
            raise OutcomeUnknown("NO_CAPTURE_ID", (f"{len(matches)} captures match",))
        return matches[0]

    async def _call(
        self,
        method: str,
        account: Account,
        kustom_order_id: str,
        path: str,
        *,
        body: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Make one call and return a 2xx, or raise the verdict."""
        host = self._hosts[account.environment].rstrip("/")
        url = f"{host}/ordermanagement/v1/orders/{_segment(kustom_order_id)}{path}"
        content = None if body is None else body.encode()
        writes = method != "GET"
        try:
            answer = await self._outbound.request(
                method, url, headers=_headers(account, body, key), content=content
            )
        except NotSent as error:
            raise Unavailable("NOT_SENT", (str(error),)) from error
        except NoAnswer as error:
            raise (OutcomeUnknown if writes else Unavailable)("NO_ANSWER", (str(error),)) from error
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            return answer
        raise _verdict(answer, writes=writes)


def _headers(account: Account, body: str | None, key: str | None) -> dict[str, str]:
    credentials = f"{account.username}:{account.password}".encode()
    headers = {
        "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
        "Accept": "application/json",
    }
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Klarna-Idempotency-Key"] = key  # the name kept "Klarna" at Kustom
    return headers


def _verdict(answer: Answer, *, writes: bool) -> CallError:
    """Turn an answer that is no success into one of the three verdicts (contract, section 8)."""
    described = read_error(answer.body)
    code, messages, correlation_id = described or (f"HTTP_{answer.status}", (), None)
    correlation_id = correlation_id or _correlation_id(answer)
    status = answer.status
    if status in _BUSY:
        code = "UNAUTHORIZED" if status == 401 else code  # noqa: PLR2004
        return Unavailable(
            code,
            messages,
            status=status,
            correlation_id=correlation_id,
            retry_after_s=_retry_after_s(answer),
        )
    if status in _REFUSALS and described is not None:
        return Refused(code, messages, status=status, correlation_id=correlation_id)
    if status == 403:  # noqa: PLR2004 - a firewall in front: says nothing about the order
        return Unavailable("FIREWALL", status=status, correlation_id=correlation_id)
    unclear = OutcomeUnknown if writes and status >= 500 else Unavailable  # noqa: PLR2004
    return unclear(
        code,
        messages,
        status=status,
        correlation_id=correlation_id,
        retry_after_s=_retry_after_s(answer),
    )


def _nonsense(answer: Answer, what: str) -> Unavailable:
    return Unavailable(
        "NONSENSE", (what,), status=answer.status, correlation_id=_correlation_id(answer)
    )


def _made(answer: Answer, header: str) -> str | None:
    """Return the id of what was made: its own header, else the end of `location`."""
    made: str = answer.headers.get(header, "").strip()
    if made:
        return made
    location = urlsplit(answer.headers.get("location", "")).path.rstrip("/")
    folder, _, last = location.rpartition("/")
    return last if last and folder.endswith(("/captures", "/refunds")) else None


def _correlation_id(answer: Answer) -> str | None:
    correlation_id: str = answer.headers.get("klarna-correlation-id", "")
    return correlation_id[:100] or None


def _retry_after_s(answer: Answer) -> float | None:
    for header in ("retry-after", "x-ratelimit-reset"):
        try:
            seconds = float(answer.headers.get(header, ""))
        except ValueError:
            continue
        if 0 <= seconds <= 86400:  # noqa: PLR2004 - a day; more is no waiting time
            return seconds
    return None


def _segment(value: str) -> str:
    """Return an id as one path segment: it can't lead anywhere else."""
    if value in ("", ".", ".."):
        raise Refused("INVALID_ORDER_ID", (f"{value!r} is no id",))
    return quote(value, safe="")
