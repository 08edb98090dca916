"""The merchant's mapping: what to tell Kustom of parcels by shipping method and by warehouse.

Saleor knows the name of the order's shipping method and the fulfillment's warehouse; which company
that is, how it is delivered and where it is followed, only the merchant can say.
"""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from saleor_kustom.capture.carriers import template_problem
from saleor_kustom.capture.shipping_fields import cleaned, why_not

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class ShippingRule:
    """What holds for one shipping method (by its name on orders) or one warehouse (by its slug).

    Links are templates with {number}; company and link of one rule belong together.
    """

    name: str
    shipping_company: str | None = None
    shipping_method: str | None = None
    tracking_uri: str | None = None  # "https://track.example/?id={number}"
    return_shipping_company: str | None = None
    return_tracking_uri: str | None = None  # with the return's number
    tracked: bool = True  # False: these never get a number, so Kustom is told without one


_GIVEN = tuple(field.name for field in fields(ShippingRule) if field.name != "name")
_TEMPLATES = ("tracking_uri", "return_tracking_uri")


def read_rules(given: object) -> tuple[ShippingRule, ...]:
    """Read the mapping's JSON form: an object of names, each with an object of fields.

    Raises ValueError with every fault.
    """
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise ValueError("must be an object of names, each with an object of fields")
    faults: list[str] = []
    rules: dict[str, ShippingRule] = {}
    for name, values in given.items():
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
            faults.append(f'"{name}": the name must have 1 to {_LONGEST_NAME} characters')
        elif not isinstance(values, Mapping):
            faults.append(f'"{name}": must be an object, as {{"shipping_company": "PostNord SE"}}')
        elif same_name(name) in rules:
            faults.append(f'"{name}": stands there twice, but for case and blanks')
        else:
            found = [f'"{name}": {fault}' for fault in _faults(values)]
            faults += found
            rules[same_name(name)] = ShippingRule(name.strip()) if found else _rule(name, values)
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(rules.values())


def shown_rules(rules: tuple[ShippingRule, ...]) -> dict[str, dict[str, Any]]:
    """Return the JSON form that `read_rules` reads, without what is at its default."""
    return {rule.name: _changed(rule) for rule in rules}


def same_name(name: str) -> str:
    """Return what two spellings of a name have in common: neither case nor blanks matter."""
    return " ".join(name.casefold().split())


def rule_for(name: str | None, rules: tuple[ShippingRule, ...]) -> ShippingRule | None:
    """Return the rule of that name."""
    wanted = same_name(name or "")
    return next((rule for rule in rules if wanted and same_name(rule.name) == wanted), None)


def _validated(given: object) -> tuple[ShippingRule, ...]:
    if isinstance(given, tuple):  # the default, or what was read before
        return given
    try:
        return read_rules(given)
    except ValueError as error:
        told = {"faults": str(error)}
        raise PydanticCustomError("shipping_rules", "{faults}", told) from None


#: A policy's field of rules: its JSON form is the mapping.
Rules = Annotated[
    tuple[ShippingRule, ...],
    PlainValidator(_validated),
    PlainSerializer(shown_rules),
    WithJsonSchema({"type": "object"}),
]


def _rule(name: str, values: Mapping[str, Any]) -> ShippingRule:
    return ShippingRule(
        name=name.strip(), **{key: _value(values[key]) for key in values if values[key] is not None}
    )


def _value(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _faults(values: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in values.items():
        if name not in _GIVEN:
            close = difflib.get_close_matches(str(name), _GIVEN, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(_GIVEN)}"
            found.append(f"{name} is no field{hint}")
        elif value is not None and (problem := _problem(name, value)):
            found.append(f"{name} {problem}")
    return found


def _problem(name: str, value: Any) -> str | None:
    if name == "tracked":
        return None if isinstance(value, bool) else "must be true or false"
    if not isinstance(value, str) or not value.strip():
        return "must be a text; leave the field out instead of leaving it empty"
    if name in _TEMPLATES:
        return template_problem(value.strip())
    if cleaned(name, value) != value.strip():
        limit = " of at most 100 characters" if name.endswith("company") else ""
        return f"{why_not(name)}{limit}"
    return None


def _changed(rule: ShippingRule) -> dict[str, Any]:
    default = asdict(ShippingRule(rule.name))
    return {key: value for key, value in asdict(rule).items() if value != default[key]}
