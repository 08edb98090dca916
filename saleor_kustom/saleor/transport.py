"""gql's transport over our own outbound calls: deadline, size limit, exact amounts.

gql's own httpx transport has no deadline for the whole call and parses money as float.
"""

import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any, NoReturn

from gql import GraphQLRequest
from gql.transport.async_transport import AsyncTransport
from graphql import DocumentNode, ExecutionResult, print_ast

from saleor_kustom.errors import Unavailable
from saleor_kustom.outbound import NoAnswer, NotSent, Outbound

#: Documents are constants: each is printed once.
_PRINTED: dict[int, str] = {}


class SaleorTransport(AsyncTransport):
    """Posts one request to one shop. Raises Unavailable for everything but a GraphQL answer."""

    def __init__(self, outbound: Outbound, api_url: str, token: str) -> None:
        self._outbound = outbound
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
        payload: dict[str, Any] = {"query": _text(request.document)}
        if request.variable_values:
            payload["variables"] = request.variable_values
        try:
            answer = await self._outbound.request(
                "POST",
                self._api_url,
                headers=self._headers,
                content=json.dumps(payload).encode(),
            )
        except NotSent as error:
            raise Unavailable("SALEOR_NOT_REACHED", (str(error),)) from error
        except NoAnswer as error:
            # Every mutation of ours may be repeated: Saleor counts an event once, and
            # metadata is merged. So a lost answer is asked again, not looked up.
            raise Unavailable("SALEOR_NO_ANSWER", (str(error),)) from error
        return _result(answer.status, answer.body)

    def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """Refuse: Saleor's events come as webhooks."""
        raise NotImplementedError


def _text(document: DocumentNode) -> str:
    return _PRINTED.setdefault(id(document), "") or _print(document)


def _print(document: DocumentNode) -> str:
    _PRINTED[id(document)] = print_ast(document)
    return _PRINTED[id(document)]


def _result(status: int, body: bytes) -> ExecutionResult:
    if status in (401, 403):
        raise Unavailable("TOKEN_REFUSED", status=None, messages=(f"HTTP {status}",))
    try:
        parsed = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        _nonsense(status, "no JSON")
    if not isinstance(parsed, dict) or not ("data" in parsed or "errors" in parsed):
        _nonsense(status, "no GraphQL answer")
    data, errors = parsed.get("data"), parsed.get("errors")
    if data is not None and not isinstance(data, dict):
        _nonsense(status, "data is no object")
    if errors is not None and not isinstance(errors, list):
        _nonsense(status, "errors is no list")
    if status >= 500:  # noqa: PLR2004 - HTTP's own number
        _nonsense(status, "server error")
    return ExecutionResult(data=data, errors=errors or None)


def _nonsense(status: int, what: str) -> NoReturn:
    raise Unavailable("SALEOR_NONSENSE", (f"HTTP {status}: {what}",))
