"""Call a shop's Saleor over GraphQL: read an order, report a capture, ask who we are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from graphql import DocumentNode, parse

from saleor_kustom.breaker import Breakers
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.report import NewTransaction, Report
from saleor_kustom.errors import CallError, Refused, Unavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.reading import read_order, read_transactions
from saleor_kustom.saleor.report import SWITCHES, variables_of
from saleor_kustom.saleor.transport import SaleorTransport


def document(name: str, *, newest: bool = False) -> DocumentNode:
    """Return one of our documents, parsed; `newest` with what only Saleor 3.23 or later has."""
    folder = files("saleor_kustom.saleor") / "queries"
    text = (folder / f"{name}.graphql").read_text(encoding="utf-8")
    return parse(text.replace("# from 3.23: ", "") if newest else text, no_location=True)


def release(version: str) -> tuple[int, int]:
    """Return "3.22.67" as (3, 22); (0, 0) when it can't be told."""
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if f"{major}{minor}".isdecimal() and minor else (0, 0)


_ORDER = document("order")
_NEWEST_ORDER = document("order", newest=True)
_REPORT = document("report")
_REPORT_OPERATION = document("report_operation")
_CREATE = document("create_transaction")
_IDENTIFY = document("identify")


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who a token is, at the Saleor that gave it."""

    app_id: str
    identifier: str
    permissions: frozenset[str] | None  # None: this Saleor does not tell
    saleor_version: str


@dataclass(frozen=True, slots=True)
class Reported:
    """Saleor took the write. `transaction_refused`: all but the event on its transaction."""

    transaction_refused: bool = False


class SaleorClient:
    """One method an operation; documents are parsed once and never validated at run time."""

    def __init__(self, outbound: Outbound, breakers: Breakers | None = None) -> None:
        self._outbound = outbound
        self._breakers = breakers or Breakers()

    def away(self) -> set[str]:
        """Return the addresses of the shops whose Saleor is not to be asked now."""
        return self._breakers.shut()

    async def order(self, shop: Shop, order_id: str) -> Order | None:
        """Return the order as it is now; None when this Saleor knows no such order.

        Raises Unavailable, or Refused when the answer can't be understood.
        """
        asked = shop.api_url, shop.token
        older = (0, 0) < release(shop.saleor_version) < (3, 23)
        answer = await self._execute(*asked, _ORDER if older else _NEWEST_ORDER, {"id": order_id})
        if not older and _unknown_field(answer):
            answer = await self._execute(*asked, _ORDER, {"id": order_id})
        order = answer.data.get("order")
        if order is None and answer.errors and all(map(_says_no_id, answer.errors)):
            return None
        if answer.errors:
            raise _problem(answer.errors)
        return read_order(order) if order is not None else None

    async def report(self, shop: Shop, report: Report) -> Reported:
        """Tell Saleor of a capture or another operation, in one request. Safe to repeat.

        A transaction that we may not report on is no error: the metadata is written all the
        same. Raises Unavailable or Refused after every mutation's errors were read.
        """
        variables = variables_of(report)
        asked = [alias for alias, switch in SWITCHES.items() if variables[switch]]
        if not asked:
            return Reported()
        query = _REPORT
        if report.transaction_private:
            query = _REPORT_OPERATION
            del variables["writesFulfillmentPublic"], variables["fulfillmentPublic"]
        else:
            del variables["writesTransactionPrivate"], variables["transactionPrivate"]
        answer = await self._execute(shop.api_url, shop.token, query, variables)
        return _reported(answer, asked)

    async def create_transaction(
        self, shop: Shop, new: NewTransaction
    ) -> tuple[Transaction, ...] | None:
        """Make a transaction and return all of the order's; None: Saleor does not let us.

        Not safe to repeat blindly: look first. Raises Unavailable (it may exist by now) or
        Refused.
        """
        wanted: dict[str, Any] = {
            "name": new.name,
            "pspReference": new.psp_reference,
            "availableActions": list(new.available_actions),
            "externalUrl": new.external_url,
        }
        if new.message:
            wanted["message"] = new.message
        if new.authorized is not None:
            amount = {"amount": format(new.authorized, "f"), "currency": new.currency}
            wanted["amountAuthorized"] = amount
        variables = {"order": new.order_id, "transaction": wanted}
        answer = await self._execute(shop.api_url, shop.token, _CREATE, variables)
        if any(_denied(error, "create") for error in answer.errors):
            return None
        _check(answer, "create")
        created = _as_dict(answer.data.get("create"))
        order = _as_dict(_as_dict(created.get("transaction")).get("order"))
        return read_transactions(order.get("transactions") or (), new.currency)

    async def read(
        self, shop: Shop, query: DocumentNode, variables: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Execute one of our queries and return its data. Raises Unavailable."""
        answer = await self._execute(shop.api_url, shop.token, query, dict(variables))
        if answer.errors:
            raise _problem(answer.errors)
        return answer.data

    async def mutate(
        self, shop: Shop, mutation: DocumentNode, variables: Mapping[str, Any], alias: str
    ) -> Mapping[str, Any]:
        """Execute a mutation of ours and return what its first alias answered.

        The others do not count. Raises Refused for its errors, or Unavailable.
        """
        answer = await self._execute(shop.api_url, shop.token, mutation, dict(variables))
        done = answer.data.get(alias)
        if done is None and answer.errors:
            raise _problem(answer.errors)
        problems = _user_errors(alias, done)
        if problems:
            raise Refused(f"SALEOR_{problems[0][0]}", tuple(text for _, text in problems))
        return _as_dict(done)

    async def identify(self, api_url: str, token: str) -> AppIdentity:
        """Ask a Saleor whose token this is. Raises Refused("UNKNOWN_APP") or Unavailable."""
        answer = await self._execute(api_url, token, _IDENTIFY, {})
        app = answer.data.get("app")
        if app is None and answer.errors:
            raise _problem(answer.errors)
        if not isinstance(app, dict) or not _text(app, "id"):
            raise Refused("UNKNOWN_APP", ("this Saleor does not know the token",))
        version = _text(_as_dict(answer.data.get("shop")), "version")
        granted = _permissions(app.get("permissions"))
        return AppIdentity(_text(app, "id"), _text(app, "identifier"), granted, version)

    async def _execute(
        self, api_url: str, token: str, query: DocumentNode, variables: dict[str, Any]
    ) -> "_Answer":
        transport = SaleorTransport(self._outbound, self._breakers, api_url, token)
        request = GraphQLRequest(query, variable_values=variables)
        # Outbound's deadline is the only one: gql's own would raise past our border.
        async with Client(transport=transport, execute_timeout=None) as session:
            try:
                data = await session.execute(request)
            except TransportQueryError as error:
                return _Answer(error.data or {}, [_as_dict(e) for e in error.errors or ()])
        return _Answer(data, [])


@dataclass(frozen=True, slots=True)
class _Answer:
    data: Mapping[str, Any]
    errors: list[Mapping[str, Any]]


def _unknown_field(answer: _Answer) -> bool:
    """Tell whether an older Saleor refused what the newest document asks in addition."""
    messages = (_text(error, "message") for error in answer.errors)
    return not answer.data and any("paymentmethoddetails" in m.lower() for m in messages)


def _reported(answer: _Answer, asked: list[str]) -> Reported:
    """Read every alias before judging: one that failed did not stop those after it."""
    refused = any(_denied(error, "event") for error in answer.errors)
    others = [error for error in answer.errors if not _denied(error, "event")]
    if others:
        raise _problem(others)
    if refused:
        asked = [alias for alias in asked if alias != "event"]
    problems: list[tuple[str, str]] = []
    for alias in asked:
        problems += _user_errors(alias, answer.data.get(alias))
    if problems:
        raise Refused(f"SALEOR_{problems[0][0]}", tuple(text for _, text in problems))
    return Reported(transaction_refused=refused)


def _check(answer: _Answer, alias: str) -> None:
    """Raise for what kept a single mutation from being done."""
    if answer.errors:
        raise _problem(answer.errors)
    problems = _user_errors(alias, answer.data.get(alias))
    if problems:
        raise Refused(f"SALEOR_{problems[0][0]}", tuple(text for _, text in problems))


def _user_errors(alias: str, outcome: Any) -> list[tuple[str, str]]:
    """Return code and words of each error. An alias that is not answered was not taken."""
    if not isinstance(outcome, dict) or not isinstance(outcome.get("errors"), list):
        raise Unavailable("SALEOR_NONSENSE", (f"no answer on {alias}",))
    found = [_as_dict(error) for error in outcome["errors"]]
    return [(_text(e, "code") or "ERROR", f"{alias}: {_text(e, 'message')[:300]}") for e in found]


def _permissions(listed: Any) -> frozenset[str] | None:
    if listed is None:
        return None
    codes = (_text(_as_dict(p), "code") for p in listed) if isinstance(listed, list) else ()
    return frozenset(filter(None, codes))


def _as_dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    inner = value.get(key)
    return inner if isinstance(inner, str) else ""


def _denied(error: Mapping[str, Any], alias: str) -> bool:
    """Tell whether Saleor does not let us do this one thing.

    Only a transaction's owner may report on it (saleor-core-observed, section 5).
    """
    path = error.get("path")
    return isinstance(path, list) and path[:1] == [alias] and _code(error) == "PermissionDenied"


def _code(error: Mapping[str, Any]) -> str:
    """Return the name of Saleor's exception; an answer has no other code for these."""
    return _text(_as_dict(_as_dict(error.get("extensions")).get("exception")), "code")


def _says_no_id(error: Mapping[str, Any]) -> bool:
    """Tell whether an order's id can't be one of Saleor's; one that is only unknown is null.

    Observed of 3.22.67; there is no other code than that of all GraphQL errors.
    """
    return error.get("path") == ["order"] and _text(error, "message").startswith("Invalid ID: ")


#: A token that Saleor deleted makes us anonymous; one that it can't read is an error of its own.
_TOKEN_CODES = frozenset(
    {"PermissionDenied", "InvalidTokenError", "InvalidSignatureError", "ExpiredSignatureError"}
)


def _problem(errors: list[Mapping[str, Any]]) -> CallError:
    """Return the verdict on GraphQL errors: a refused token heals by a re-install."""
    denied = [error for error in errors if _code(error) in _TOKEN_CODES]
    message = _text((denied or errors)[0], "message")[:300]
    return Unavailable("TOKEN_REFUSED" if denied else "SALEOR_ERROR", (message,))
