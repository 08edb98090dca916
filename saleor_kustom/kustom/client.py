"""Call Kustom's Order Management API; every way that a call can end is one of our verdicts.

Contract: kustom-order-management. `Refused`: asking again changes nothing. `Unavailable`: it
did not happen. `OutcomeUnknown`: a write may have happened; look before sending again.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable
from saleor_kustom.kustom.verdicts import correlation_id_of, nonsense, verdict
from saleor_kustom.kustom.wire import Nonsense, is_json_or_empty, read_captures, read_order
from saleor_kustom.outbound import Answer, NoAnswer, NotSent, Outbound
from saleor_kustom.watch import metrics

#: An id that is one segment of a path and can't be anything else. Kustom's own are UUIDs.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
#: The id of a capture or refund in a path, which is no part of an operation's name.
_PATH_ID = re.compile(r"(?<=/captures)/[^/]+|(?<=/refunds)/[^/]+")
#: A second call within one operation: with the first one's 40 s it fits into a lease of 60 s.
SECOND_CALL_S = 15.0


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
    """One method an operation. `hosts`: base URL by environment.

    `second_call_s` is the deadline of an operation's second call, a look at what the first left.

    A `key` is the operation's idempotency key: Kustom compares nothing else (contract, 3).
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        hosts: Mapping[str, str],
        second_call_s: float = SECOND_CALL_S,
    ) -> None:
        self._outbound = outbound
        self._hosts = hosts
        self._second_call_s = second_call_s

    async def order(self, account: Account, kustom_order_id: str) -> Authorization:
        """Read an order. Raises Refused (404: not this merchant's) or Unavailable."""
        answer = await self._call("GET", account, kustom_order_id, "")
        try:
            found = read_order(answer.body)
        except Nonsense as error:
            raise nonsense(answer, str(error)) from error
        if found.kustom_order_id.lower() != kustom_order_id.lower():
            raise nonsense(answer, "the answer is about another order")
        # A capture that is not seen would be made again, so none may be missing (domain rule 7).
        if sum(capture.amount_minor for capture in found.captures) < found.captured_amount_minor:
            listed = await self.captures(account, kustom_order_id, deadline_s=self._second_call_s)
            found = replace(found, captures=listed)
        return found

    async def captures(
        self, account: Account, kustom_order_id: str, *, deadline_s: float | None = None
    ) -> tuple[KustomCapture, ...]:
        """List an order's captures. Raises Refused or Unavailable."""
        answer = await self._call(
            "GET", account, kustom_order_id, "/captures", deadline_s=deadline_s
        )
        try:
            return read_captures(answer.body)
        except Nonsense as error:
            raise nonsense(answer, str(error)) from error

    async def capture(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> Captured:
        """Capture. The id comes in a header; if a proxy stripped it, it is looked up.

        Raises Refused, Unavailable or OutcomeUnknown.
        """
        answer = await self._call("POST", account, kustom_order_id, "/captures", body=body, key=key)
        capture_id = _made(answer, "capture-id", "captures")
        if capture_id is None:
            capture_id = await self._find(account, kustom_order_id, body, answer)
        return Captured(capture_id, correlation_id_of(answer))

    async def add_shipping_info(
        self, account: Account, kustom_order_id: str, capture_id: str, *, body: str, key: str
    ) -> None:
        """Append tracking to a capture; Kustom never replaces. Raises the three verdicts."""
        path = f"/captures/{_segment(capture_id)}/shipping-info"
        await self._do("POST", account, kustom_order_id, path, body=body, key=key)

    async def refund(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> Refunded:
        """Refund. Raises the three verdicts; without an id in the answer OutcomeUnknown."""
        answer = await self._call("POST", account, kustom_order_id, "/refunds", body=body, key=key)
        refund_id = _made(answer, "refund-id", "refunds")
        if refund_id is None:
            raise _unknown("NO_REFUND_ID", answer)
        return Refunded(refund_id, correlation_id_of(answer))

    async def cancel(self, account: Account, kustom_order_id: str, *, key: str) -> None:
        """Cancel an order that has no captures. Raises the three verdicts."""
        await self._do("POST", account, kustom_order_id, "/cancel", key=key)

    async def release_remaining(self, account: Account, kustom_order_id: str, *, key: str) -> None:
        """Release what is not captured. Raises the three verdicts."""
        path = "/release-remaining-authorization"
        await self._do("POST", account, kustom_order_id, path, key=key)

    async def extend_authorization(
        self, account: Account, kustom_order_id: str, *, key: str
    ) -> None:
        """Extend the authorization's time. Raises the three verdicts."""
        path = "/extend-authorization-time"
        await self._do("POST", account, kustom_order_id, path, key=key)

    async def set_merchant_references(
        self, account: Account, kustom_order_id: str, *, body: str, key: str
    ) -> None:
        """Set merchant references; a field that is present overwrites. Raises the verdicts."""
        path = "/merchant-references"
        await self._do("PATCH", account, kustom_order_id, path, body=body, key=key)

    async def _find(self, account: Account, kustom_order_id: str, body: str, answer: Answer) -> str:
        """Find the capture that a 2xx without id made: our reference with the same amount."""
        sent = json.loads(body)
        reference, amount_minor = sent.get("reference"), sent.get("captured_amount")
        if not reference:
            raise _unknown("NO_CAPTURE_ID", answer, "no reference to look for was sent")
        try:
            listed = await self.captures(account, kustom_order_id, deadline_s=self._second_call_s)
        except CallError as error:
            raise _unknown("NO_CAPTURE_ID", answer, str(error)) from error
        wanted = (reference, amount_minor)
        matches = [c.capture_id for c in listed if (c.reference, c.amount_minor) == wanted]
        if len(matches) != 1:
            raise _unknown("NO_CAPTURE_ID", answer, f"{len(matches)} captures match")
        return matches[0]

    async def _do(
        self,
        method: str,
        account: Account,
        kustom_order_id: str,
        path: str,
        *,
        key: str,
        body: str | None = None,
    ) -> None:
        """Make a write that answers with nothing (204; an empty 200 is as good)."""
        answer = await self._call(method, account, kustom_order_id, path, body=body, key=key)
        if not is_json_or_empty(answer.body):
            raise _unknown("NONSENSE", answer)

    async def _call(
        self,
        method: str,
        account: Account,
        kustom_order_id: str,
        path: str,
        *,
        body: str | None = None,
        key: str | None = None,
        deadline_s: float | None = None,
    ) -> Answer:
        """Make one call and return a 2xx, or raise the verdict."""
        with metrics.call("kustom", f"{method} {_PATH_ID.sub('/{id}', path) or '/'}"):
            return await self._exchange(
                method, account, kustom_order_id, path, body=body, key=key, deadline_s=deadline_s
            )

    async def _exchange(
        self,
        method: str,
        account: Account,
        kustom_order_id: str,
        path: str,
        *,
        body: str | None,
        key: str | None,
        deadline_s: float | None,
    ) -> Answer:
        host = self._hosts[account.environment].rstrip("/")
        url = f"{host}/ordermanagement/v1/orders/{_segment(kustom_order_id)}{path}"
        content = None if body is None else body.encode()
        headers = _headers(account, body, key)
        writes = method != "GET"
        try:
            answer = await self._outbound.request(
                method, url, headers=headers, content=content, deadline_s=deadline_s
            )
        except NotSent as error:
            raise Unavailable("NOT_SENT", (str(error),)) from error
        except NoAnswer as error:
            raise (OutcomeUnknown if writes else Unavailable)("NO_ANSWER", (str(error),)) from error
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            return answer
        raise verdict(answer, writes=writes)


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


def _made(answer: Answer, header: str, collection: str) -> str | None:
    """Return the id of what was made: its own header, else the end of `location`'s path."""
    made: str = answer.headers.get(header, "").strip()
    if _ID.fullmatch(made):
        return made
    path = re.split("[?#]", answer.headers.get("location", ""), maxsplit=1)[0].rstrip("/")
    folder, _, last = path.rpartition("/")
    return last if _ID.fullmatch(last) and folder.endswith(f"/{collection}") else None


def _unknown(code: str, answer: Answer, message: str = "") -> OutcomeUnknown:
    return OutcomeUnknown(
        code,
        (message,) if message else (),
        status=answer.status,
        correlation_id=correlation_id_of(answer),
    )


def _segment(value: str) -> str:
    """Return an id as one path segment: it can't lead anywhere else."""
    if not _ID.fullmatch(value):
        raise Refused("INVALID_ORDER_ID", (f"{value[:100]!r} is no id",))
    return value
