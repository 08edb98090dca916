"""The simulated Saleor's GraphQL: it executes our real documents against its own SDL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,
    execute,
    execute_sync,
)

from saleor_kustom.sandbox.saleor_orders import Wire
from saleor_kustom.sandbox.saleor_schema import checked, load_schema

#: Saleor refuses a request with more mutations (saleor-core-observed, section 6).
MOST_MUTATIONS = 4


class Rules(Protocol):
    """What executing needs to know of a Saleor."""

    version: str
    denied: set[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and whom. `app` is None for a token that is nobody's."""

    saleor: Any
    app: Wire | None

    def may(self, *permissions: str) -> bool:
        """Tell whether the app has one of the permissions."""
        codes = {p["code"] for p in self.app["permissions"]} if self.app else set()
        return bool((codes - self.saleor.denied).intersection(permissions))

    def needs(self, *permissions: str) -> None:
        """Raise Saleor's PermissionDenied unless the app has one of the permissions."""
        if not self.may(*permissions):
            raise permission_denied(*permissions)


#: A resolver takes who asks, the object and the arguments.
Resolver = Callable[[Asked, Any, Wire], Any]


def permission_denied(*permissions: str) -> GraphQLError:
    """Return the error that Saleor answers with HTTP 200."""
    return GraphQLError(
        "To access this path, you need one of the following permissions: " + ", ".join(permissions),
        extensions={"exception": {"code": "PermissionDenied"}},
    )


#: Field → permissions, one of which it needs. A field that is not null pulls its object down.
_FIELD_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "Query.orders": ("MANAGE_ORDERS",),
    "Order.privateMetadata": ("MANAGE_ORDERS", "HANDLE_TAXES"),
    "Order.transactions": ("MANAGE_ORDERS", "HANDLE_PAYMENTS"),
    "Order.giftCards": ("MANAGE_ORDERS", "MANAGE_GIFT_CARD"),
    "Fulfillment.privateMetadata": ("MANAGE_ORDERS", "HANDLE_TAXES"),
    "TransactionItem.privateMetadata": ("HANDLE_PAYMENTS",),
    "Checkout.transactions": ("MANAGE_CHECKOUTS", "HANDLE_PAYMENTS"),
    "Mutation.transactionCreate": ("HANDLE_PAYMENTS",),
    "Mutation.transactionEventReport": ("HANDLE_PAYMENTS",),
    "Mutation.orderNoteAdd": ("MANAGE_ORDERS",),
}


class Api:
    """Answers requests. `saleor` is the SimulatedSaleor that holds the orders."""

    def __init__(self, saleor: Rules, resolvers: Mapping[str, Resolver]) -> None:
        self._saleor = saleor
        self._resolvers = resolvers

    async def answer(self, body: Any, app: Wire | None) -> tuple[int, Wire]:
        """Return status and JSON for the body of a request of `app`."""
        if isinstance(body, list):
            return 400, _only_errors([GraphQLError("Number of batch queries exceeded.")])
        text = body.get("query") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text:
            return 400, _only_errors([GraphQLError("Must provide a query string.")])
        document, errors = checked(self._saleor.version, text)
        if document is None or errors:
            return 400, _only_errors(list(errors))
        if _mutations(document) > MOST_MUTATIONS:
            message = f"Number of mutations exceed the limit of {MOST_MUTATIONS}"
            return 400, _only_errors([GraphQLError(message)])
        executed = execute(
            load_schema(self._saleor.version),
            document,
            variable_values=body.get("variables") or {},
            operation_name=body.get("operationName"),
            context_value=Asked(self._saleor, app),
            field_resolver=_through(self._resolvers),
        )
        # What asks an app waits for its answer; all else is done at once.
        result = executed if isinstance(executed, ExecutionResult) else await executed
        if result.data is None and all(error.path is None for error in result.errors or ()):
            return 400, _only_errors(result.errors or [])  # a variable that makes no sense
        return 200, _formatted(result)


def payload(saleor: Rules, text: str, event: Wire, resolvers: Mapping[str, Resolver]) -> Wire:
    """Return what a subscription document makes of an event: a delivery's body.

    A field that the app may not read does not stop the delivery: it is null, and the body has
    `errors` beside it (saleor-core-observed, section 1).
    """
    document, errors = checked(saleor.version, text)
    if document is None or errors:
        raise ValueError([error.message for error in errors])
    asked = Asked(saleor, event["recipient"])
    result = execute_sync(
        load_schema(saleor.version),
        document,
        root_value={"event": event},
        context_value=asked,
        field_resolver=_through(resolvers),
    )
    contents: Wire = dict((result.data or {}).get("event") or {})
    if result.errors:
        contents["errors"] = [_error(error) for error in result.errors]
    return contents


def _through(resolvers: Mapping[str, Resolver]) -> GraphQLFieldResolver:
    """Return a field resolver that asks for permission first, then `resolvers`, then the value."""

    def resolve(source: Any, info: GraphQLResolveInfo[Asked], **arguments: Any) -> Any:
        name = f"{info.parent_type.name}.{info.field_name}"
        if name in _FIELD_PERMISSIONS:
            info.context.needs(*_FIELD_PERMISSIONS[name])
        resolver = resolvers.get(name)
        if resolver is not None:
            return resolver(info.context, source, arguments)
        return default_field_resolver(source, info, **arguments)

    return resolve


def _mutations(document: DocumentNode) -> int:
    """Count as Saleor does: what @include leaves out counts too."""
    return sum(
        len(definition.selection_set.selections)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        and definition.operation is OperationType.MUTATION
    )


def _formatted(result: ExecutionResult) -> Wire:
    answer: Wire = {"data": result.data, "extensions": _COST}
    if result.errors:
        answer["errors"] = [_error(error) for error in result.errors]
    return answer


def _only_errors(errors: list[GraphQLError]) -> Wire:
    return {"errors": [_error(error) for error in errors], "extensions": _COST}


def _error(error: GraphQLError) -> Wire:
    formatted: Wire = dict(error.formatted)
    original = type(error.original_error or error).__name__
    formatted.setdefault("extensions", {"exception": {"code": original}})
    return formatted


_COST = {"cost": {"requestedQueryCost": 0, "maximumAvailable": 50_000}}
