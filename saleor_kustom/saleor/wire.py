"""The shapes that Saleor's answers are made of. Null is the same as absent, everywhere.

Money must have been parsed as Decimal, since a float has lost the öre before we see it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from saleor_kustom.capture.money import to_minor

#: No price comes near; above it an exponent alone could fill the memory.
_LARGEST = Decimal(10) ** 15


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("a float has lost its exactness; parse JSON with parse_float=Decimal")
    return value


def _texts(pairs: Any) -> Any:
    """Return metadata as a mapping, from the list of pairs that Saleor gives."""
    if isinstance(pairs, Mapping):
        return pairs
    try:
        return {pair["key"]: pair["value"] for pair in pairs}
    except (KeyError, TypeError) as error:
        raise ValueError("metadata is a list of keys and values") from error


Exact = Annotated[Decimal, Field(ge=-_LARGEST, le=_LARGEST), BeforeValidator(_no_float)]
Rate = Annotated[Decimal, Field(ge=0, le=_LARGEST), BeforeValidator(_no_float)]
Metadata = Annotated[dict[str, str], BeforeValidator(_texts)]


class Wire(BaseModel):
    """What every shape has in common: names in camel case, and more fields than we asked for."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, wire: Any) -> Any:
        if not isinstance(wire, Mapping):
            return wire
        if isinstance(wire, dict) and None not in wire.values():
            return wire  # the usual case
        return {name: value for name, value in wire.items() if value is not None}


class Money(Wire):
    """An amount of the order's currency."""

    amount: Exact

    def minor(self, currency: str) -> int:
        """Return it in minor units. Raises ValueError."""
        return to_minor(self.amount, currency)


class Price(Money):
    """An amount that is never negative."""

    amount: Annotated[Exact, Field(ge=0)]
    currency: str | None = None


class Taxed(Wire):
    """A price of which only the gross counts here."""

    gross: Price


#: What an amount is that Saleor did not tell.
NOTHING = Price(amount=Decimal(0))
