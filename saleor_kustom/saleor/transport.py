"""gql's transport over our own outbound calls: deadline, size limit, exact amounts.

gql's own httpx transport has no deadline for the whole call and parses money as float.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from gql import GraphQLRequest
from gql.transport.async_transport import AsyncTransport
from graphql import DocumentNode, ExecutionResult, print_ast

from saleor_kustom.breaker import Breakers
from saleor_kustom.errors import Unavailable
from saleor_kustom.outbound import Answer, NoAnswer, NotSent, Outbound
from saleor_kustom.watch import metrics
from saleor_kustom.watch.context import trace_headers

#: Not sent, since this Saleor did not answer others (in lower case, what the row waits for).
AWAY = "SALEOR_AWAY"


class SaleorTransport(AsyncTransport):
    """Posts one request to one shop. Raises Unavailable for everything but a GraphQL answer.

    A shop whose Saleor hangs is asked by single probes: it must not hold what others wait for.
    """

    def __init__(self, outbound: Outbound, breakers: Breakers, api_url: str, token: str) -> None:
        self._outbound = outbound
        self._breakers = breakers
        self._api_url = api_url
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    async def connect(self) -> None:
        """Do nothing: each call connects by itself."""

    async def close(self) -> None:
        """Do nothing."""

    async def execute(self, request: GraphQLRequest) -> ExecutionResult:
        """Post the request and return data and errors as Saleor gave them."""
        left_s = self._breakers.enter(self._api_url)
        if left_s > 0:
            raise Unavailable(AWAY, retry_after_s=left_s)
        with metrics.call("saleor", _sent(request.document).name) as call:
            result = _result(await self._post(request))
            if result.errors:
                call.verdict = "errors"
        return result

    async def _post(self, request: GraphQLRequest) -> Answer:
        payload: dict[str, Any] = {"query": _sent(request.document).text}
        if request.variable_values:
            payload["variables"] = request.variable_values
        try:
            answer = await self._outbound.request(
                "POST",
                self._api_url,
                headers={**self._headers, **trace_headers()},
                content=json.dumps(payload).encode(),
            )
        except NotSent as error:
            self._breakers.failed(self._api_url)
            raise Unavailable("SALEOR_NOT_REACHED", (str(error),)) from error
        except NoAnswer as error:
            self._breakers.failed(self._api_url)
            # Every mutation of ours may be repeated: Saleor counts an event once, and
            # metadata is merged. So a lost answer is asked again, not looked up.
            raise Unavailable("SALEOR_NO_ANSWER", (str(error),)) from error
        if answer.status >= 500:  # noqa: PLR2004 - HTTP's own number
            self._breakers.failed(self._api_url)
        else:
            self._breakers.succeeded(self._api_url)
        return answer

    def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """Refuse: Saleor's events come as webhooks."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Known:
    """A document as it is sent, and its name."""

    document: DocumentNode
    text: str
    name: str


_known: dict[int, _Known] = {}


def _sent(document: DocumentNode) -> _Known:
    """Return what is sent of a document. Ours are constants, so there are few.

    By identity: hashing a document, as a cache of functools does, walks through all of it.
    """
    found = _known.get(id(document))
    if found is None:
        named = (getattr(definition, "name", None) for definition in document.definitions)
        name = next((name.value for name in named if name is not None), "unnamed")
        # The document is kept with it, so that no other ever has its id.
        found = _known[id(document)] = _Known(document, print_ast(document), name)
    return found


def _result(answer: Answer) -> ExecutionResult:
    status = answer.status
    if status in (401, 403):
        # Without the status: elsewhere a 401 pauses an account at Kustom, and this is Saleor's.
        raise Unavailable("TOKEN_REFUSED", (f"Saleor answered HTTP {status}",))
    if status == 429 or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
        raise Unavailable("SALEOR_BUSY", (f"HTTP {status}",), retry_after_s=_retry_after_s(answer))
    try:
        parsed = json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        _nonsense(status, "no JSON")
    if not isinstance(parsed, dict):
        _nonsense(status, "no GraphQL answer")
    data, errors = parsed.get("data"), parsed.get("errors")
    if not isinstance(data, dict | None) or not isinstance(errors, list | None):
        _nonsense(status, "no GraphQL answer")
    if data is None and not errors:
        _nonsense(status, "neither data nor errors")
    return ExecutionResult(data=data, errors=errors or None)


def _retry_after_s(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdecimal() else None


def _nonsense(status: int, what: str) -> NoReturn:
    raise Unavailable("SALEOR_NONSENSE", (f"HTTP {status}: {what}",))
