"""Call a shop's Saleor over GraphQL: read an order, report a capture, ask who we are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from graphql import DocumentNode, parse

from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.report import Report
from saleor_kustom.errors import CallError, Refused, Unavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.reading import read_order
from saleor_kustom.saleor.transport import SaleorTransport


def document(name: str) -> DocumentNode:
    """Return one of our documents, parsed."""
    folder = files("saleor_kustom.saleor") / "queries"
    return parse((folder / f"{name}.graphql").read_text(encoding="utf-8"), no_location=True)


_ORDER = document("order")
_REPORT = document("report")
_IDENTIFY = document("identify")


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who a token is, at the Saleor that gave it."""

    app_id: str
    identifier: str
    permissions: frozenset[str]
    saleor_version: str


@dataclass(frozen=True, slots=True)
class Reported:
    """Saleor took the write. `transaction_refused`: all but the event on its transaction."""

    transaction_refused: bool = False


class SaleorClient:
    """One method an operation; documents are parsed once and never validated at run time."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def order(self, shop: Shop, order_id: str) -> Order | None:
        """Return the order as it is now; None when this Saleor knows no such order.

        Raises Unavailable, or Refused when the answer can't be understood.
        """
        answer = await self._execute(shop.api_url, shop.token, _ORDER, {"id": order_id})
        if answer.errors:
            raise _problem(answer.errors)
        order = answer.data.get("order")
        return read_order(order) if order is not None else None

    async def report(self, shop: Shop, report: Report) -> Reported:
        """Tell Saleor of a capture, in one request. Safe to repeat.

        A transaction that we may not report on is no error: the metadata is written all the
        same. Raises Unavailable or Refused after every mutation's errors were read.
        """
        variables = _variables(report)
        if not any(variables[name] for name in _SWITCHES):
            return Reported()
        answer = await self._execute(shop.api_url, shop.token, _REPORT, variables)
        refused = _transaction_refused(answer)
        others = [e for e in answer.errors if not _on_charge(e)]
        if others:
            raise _problem(others)
        for name, outcome in answer.data.items():
            errors = (outcome or {}).get("errors") or []
            if errors and not (name == "charge" and refused):
                raise _user_error(name, errors)
        return Reported(transaction_refused=refused)

    async def identify(self, api_url: str, token: str) -> AppIdentity:
        """Ask a Saleor whose token this is. Raises Refused("UNKNOWN_APP") or Unavailable."""
        answer = await self._execute(api_url, token, _IDENTIFY, {})
        app = answer.data.get("app")
        if not isinstance(app, dict) or not isinstance(app.get("id"), str):
            raise Refused("UNKNOWN_APP", ("this Saleor does not know the token",))
        permissions = frozenset(p["code"] for p in app.get("permissions") or ())
        version = (answer.data.get("shop") or {}).get("version") or ""
        return AppIdentity(app["id"], app.get("identifier") or "", permissions, version)

    async def _execute(
        self, api_url: str, token: str, query: DocumentNode, variables: dict[str, Any]
    ) -> "_Answer":
        transport = SaleorTransport(self._outbound, api_url, token)
        request = GraphQLRequest(query, variable_values=variables)
        async with Client(transport=transport) as session:
            try:
                data = await session.execute(request)
            except TransportQueryError as error:
                return _Answer(error.data or {}, [_as_dict(e) for e in error.errors or ()])
            except CallError:
                raise
            except Exception as error:
                raise Unavailable("SALEOR_NONSENSE", (type(error).__name__,)) from error
        return _Answer(dict(data), [])


@dataclass(frozen=True, slots=True)
class _Answer:
    data: Mapping[str, Any]
    errors: list[Mapping[str, Any]]


_SWITCHES = (
    "charges",
    "writesFulfillmentPrivate",
    "writesFulfillmentPublic",
    "writesOrderPrivate",
)


def _variables(report: Report) -> dict[str, Any]:
    charge = report.transaction
    variables: dict[str, Any] = {
        "charges": charge is not None,
        "transaction": charge.transaction_id if charge else "",
        "amount": str(charge.amount) if charge else "0",
        "pspReference": charge.psp_reference if charge else "",
        "message": charge.message[:512] if charge else None,
        "externalUrl": charge.external_url if charge else None,
        "time": charge.time.isoformat() if charge and charge.time else None,
        "fulfillment": report.fulfillment_id,
        "order": report.order_id,
        "writesFulfillmentPrivate": bool(report.fulfillment_private),
        "fulfillmentPrivate": _metadata(report.fulfillment_private),
        "writesFulfillmentPublic": bool(report.fulfillment_public),
        "fulfillmentPublic": _metadata(report.fulfillment_public),
        "writesOrderPrivate": bool(report.order_private),
        "orderPrivate": _metadata(report.order_private),
    }
    if charge and charge.available_actions is not None:
        # Saleor changes the actions only when they are passed; null is not the same as absent.
        variables["availableActions"] = list(charge.available_actions)
    return variables


def _metadata(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _as_dict(error: Any) -> Mapping[str, Any]:
    return error if isinstance(error, dict) else {"message": str(error)}


def _on_charge(error: Mapping[str, Any]) -> bool:
    path = error.get("path")
    return isinstance(path, list) and path[:1] == ["charge"] and _is_denied(error)


def _is_denied(error: Mapping[str, Any]) -> bool:
    extensions = error.get("extensions")
    exception = extensions.get("exception") if isinstance(extensions, dict) else None
    code = exception.get("code") if isinstance(exception, dict) else None
    return code == "PermissionDenied"


def _transaction_refused(answer: _Answer) -> bool:
    return any(_on_charge(error) for error in answer.errors)


def _problem(errors: list[Mapping[str, Any]]) -> CallError:
    """Return the verdict on GraphQL errors: a refused token heals by a re-install."""
    message = str(errors[0].get("message", ""))[:300]
    if any(_is_denied(error) for error in errors) or "signature" in message.lower():
        return Unavailable("TOKEN_REFUSED", (message,))
    return Unavailable("SALEOR_ERROR", (message,))


def _user_error(name: str, errors: list[Mapping[str, Any]]) -> CallError:
    first = _as_dict(errors[0])
    code = str(first.get("code") or "ERROR")
    return Refused(f"SALEOR_{code}", (f"{name}: {str(first.get('message', ''))[:300]}",))
