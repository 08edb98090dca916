"""The simulated Saleor's schema: one SDL, where `@since` marks what an older Saleor lacks."""

import functools
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    Visitor,
    build_ast_schema,
    parse,
    validate,
    visit,
)

#: The newest version that was compared with the SDL.
NEWEST = "3.23.28"


def release(version: str) -> tuple[int, int, int]:
    """Return "3.22.67" as three integers; what is missing is 0."""
    parts = [int(part) for part in version.split(".")[:3]]
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return major, minor, patch


def schema_version(version: str) -> str:
    """Return "3.22" of "3.22.67"."""
    return ".".join(version.split(".")[:2])


@functools.cache
def load_schema(version: str = NEWEST) -> GraphQLSchema:
    """Return the sandbox's own schema as a Saleor of that version has it."""
    sdl = files("saleor_kustom.sandbox") / "schema.graphql"
    document = parse(sdl.read_text(encoding="utf-8"), no_location=True)
    schema = build_ast_schema(visit(document, _Older(release(version)[:2])))
    amount = schema.type_map["PositiveDecimal"]
    if isinstance(amount, GraphQLScalarType):
        amount.coerce_input_value = _positive
    return schema


@functools.lru_cache(maxsize=256)
def checked(version: str, text: str) -> tuple[DocumentNode | None, Sequence[GraphQLError]]:
    """Return a document parsed, and what is wrong with it for that version."""
    try:
        document = parse(text, no_location=True)
    except GraphQLError as error:
        return None, (error,)
    return document, tuple(validate(load_schema(version), document))


class _Older(Visitor):
    """Removes what came after a version, and the marks."""

    def __init__(self, version: tuple[int, ...]) -> None:
        super().__init__()
        self._version = version

    def enter(self, node: Any, *_: Any) -> Any:
        for directive in getattr(node, "directives", None) or ():
            if directive.name.value == "since":
                since = release(directive.arguments[0].value.value)[:2]
                return REMOVE if since > self._version else None
        return None


def _positive(value: Any) -> Decimal:
    """Return an amount; Saleor takes 0 and refuses less (saleor-core-observed, section 7)."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise GraphQLError(f"Value is not a valid decimal: {value!r}") from None
    if not amount.is_finite() or amount < 0:
        raise GraphQLError(f"Value cannot be lower than 0. Unsupported value: {value}")
    return amount
