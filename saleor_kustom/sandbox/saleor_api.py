"""The simulated Saleor's GraphQL: it executes our real documents against its own SDL."""

import inspect
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    build_schema,
    execute,
    parse,
    subscribe,
    validate,
)
from graphql.language import FieldNode, OperationDefinitionNode

from saleor_kustom.sandbox.saleor_orders import Wire, charge, merge_metadata

#: Saleor refuses a request with more mutations (saleor-core-observed, section 6).
MOST_MUTATIONS = 4


def load_schema() -> GraphQLSchema:
    """Return the sandbox's own schema."""
    sdl = files("saleor_kustom.sandbox") / "schema.graphql"
    return build_schema(sdl.read_text(encoding="utf-8"))


class TooMany(Exception):  # noqa: N818 - answered with HTTP 400
    """More mutations than Saleor takes in one request."""


class Api:
    """Answers requests of one app. `world` is the SimulatedSaleor that holds the data."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._schema = load_schema()

    async def run(
        self, query: str, variables: Mapping[str, Any], app: Wire | None
    ) -> ExecutionResult:
        """Execute a query or mutation for `app` (None: a token that nobody has)."""
        document = parse(query)
        errors = validate(self._schema, document)
        if errors:
            return ExecutionResult(None, errors)
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._count(definition, variables)
        root = _Root(self._world, app)
        result = execute(self._schema, document, root_value=root, variable_values=dict(variables))
        if isinstance(result, ExecutionResult):
            return result
        return await result

    async def payload(self, query: str, event: Wire) -> Wire:
        """Return what a subscription document makes of an event: a delivery's body."""
        document = parse(query)

        async def once(_root: Any, _info: Any) -> Any:
            yield {"event": event}

        started: Any = subscribe(self._schema, document, subscribe_field_resolver=once)
        stream: Any = await started if inspect.isawaitable(started) else started
        if isinstance(stream, ExecutionResult):
            raise ValueError(stream.errors)
        async for result in stream:
            data: Wire = dict(result.data["event"] if result.data else {})
            if result.errors:
                data["errors"] = [error.formatted for error in result.errors]
            return data
        raise AssertionError("a subscription yields its event")

    def _count(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        if operation.operation is not OperationType.MUTATION:
            return
        fields = [f for f in operation.selection_set.selections if isinstance(f, FieldNode)]
        if sum(_included(field, variables) for field in fields) > MOST_MUTATIONS:
            raise TooMany


def _included(field: FieldNode, variables: Mapping[str, Any]) -> bool:
    for directive in field.directives or ():
        for argument in directive.arguments or ():
            name = getattr(getattr(argument.value, "name", None), "value", "")
            if variables.get(name) is False:
                return False
    return True


class _Root:
    """Resolvers: graphql-core calls methods of the root by the field's name."""

    def __init__(self, world: Any, app: Wire | None) -> None:
        self._world = world
        self._app = app

    def _needs(self, permission: str) -> None:
        codes = [p["code"] for p in self._app["permissions"]] if self._app else []
        if permission not in codes or permission in self._world.denied:
            raise GraphQLError(
                f"To access this path, you need one of the following permissions: {permission}",
                extensions={"exception": {"code": "PermissionDenied"}},
            )

    def app(self, _info: Any) -> Wire | None:
        return self._app

    def shop(self, _info: Any) -> Wire:
        return {"version": self._world.version}

    def order(self, _info: Any, id: str | None = None) -> Wire | None:  # noqa: A002
        self._needs("MANAGE_ORDERS")
        found: Wire | None = self._world.orders.get(id)
        return found

    def updateMetadata(self, _info: Any, id: str, input: list[Any]) -> Wire:  # noqa: A002, N802
        return self._write(id, "metadata", input)

    def updatePrivateMetadata(self, _info: Any, id: str, input: list[Any]) -> Wire:  # noqa: A002, N802
        return self._write(id, "privateMetadata", input)

    def _write(self, item_id: str, field: str, given: list[Any]) -> Wire:
        self._needs("MANAGE_ORDERS")
        order, fulfillment = self._world.find(item_id)
        item = fulfillment or order
        if item is None:
            error = {"field": "id", "message": "Couldn't resolve to a node", "code": "NOT_FOUND"}
            return {"errors": [error]}
        if merge_metadata(item, field, given) and fulfillment is not None:
            self._world.happened("fulfillment_metadata_updated", order, fulfillment, self._app)
        return {"errors": []}

    def transactionEventReport(self, _info: Any, **given: Any) -> Wire:  # noqa: N802
        self._needs("HANDLE_PAYMENTS")
        order, transaction = self._world.find_transaction(given["id"])
        if transaction is None:
            return {"errors": [{"field": "id", "message": "Not found", "code": "NOT_FOUND"}]}
        self._owns(transaction)
        if given.get("availableActions") is not None:
            transaction["actions"] = list(given["availableActions"])
        amount = Decimal(str(given["amount"]))
        for event in transaction["events"]:
            if (event["pspReference"], event["type"]) == (given["pspReference"], given["type"]):
                if event["amount"] == amount:
                    return {"alreadyProcessed": True, "errors": []}
                error = {
                    "field": "pspReference",
                    "message": "The transaction with provided `pspReference` and `type` already "
                    "exists with different amount.",
                    "code": "INCORRECT_DETAILS",
                }
                return {"alreadyProcessed": False, "errors": [error]}
        transaction["events"].append({**given, "amount": amount})
        if given["type"] == "CHARGE_SUCCESS":
            charge(order, transaction, amount)
        return {"alreadyProcessed": False, "errors": []}

    def _owns(self, transaction: Wire) -> None:
        owner = transaction["createdBy"]
        if owner is None or self._app is None:
            return
        same = owner.get("id") == self._app["id"]
        same = same or owner.get("identifier") == self._app["identifier"]
        if not same:
            raise GraphQLError(
                "You need permission", extensions={"exception": {"code": "PermissionDenied"}}
            )
