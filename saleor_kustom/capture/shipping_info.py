"""Tracking as Kustom's shipping_info entries (kustom-order-management, section 5.4).

An entry's company, method and links come from what knows best (docs/tracking.md): the merchant's
input on the fulfillment, then the channel's mapping by shipping method and by warehouse, then the
data file of carriers. Unknown stays absent rather than guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from saleor_kustom.capture.body import MOST_PARCELS
from saleor_kustom.capture.carriers import (
    Carrier,
    Linked,
    carriers,
    filled,
    number_in,
)
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.shipping_fields import METHOD, METHODS, RETURNS, Entry, cleaned, entry
from saleor_kustom.capture.shipping_rules import ShippingRule, rule_for, same_name
from saleor_kustom.capture.tracking_input import Given, given
from saleor_kustom.capture.tracking_sent import difference, once

__all__ = ["METHODS", "Entry", "Tracking", "difference", "entries", "tracking"]


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is known of a parcel's tracking now; problems: what could not be used, and why."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()


def tracking(order: Order, fulfillment: Fulfillment, policy: Policy) -> Tracking:
    """Return what is known of the parcel's tracking now: an entry for each number or link."""
    said = given(fulfillment)
    if _digital(order, fulfillment) and not said.anything:
        return Tracking(problems=said.problems)
    if order.collection_point_name is not None:
        method = said.common.get(METHOD, "PickUpStore")
        return Tracking(({METHOD: method},), said.problems)
    known = _Known.of(order, fulfillment, policy)
    made = once(known.completed(one) for one in _wanted(said, known))
    problems = said.problems
    if len(made) > MOST_PARCELS:
        problems += (f"{len(made)} parcels: Kustom takes {MOST_PARCELS} at most",)
    return Tracking(tuple(made[:MOST_PARCELS]), problems)


def entries(order: Order, fulfillment: Fulfillment, policy: Policy) -> tuple[Entry, ...]:
    """Return what `tracking` finds, without its problems."""
    return tracking(order, fulfillment, policy).entries


def _digital(order: Order, fulfillment: Fulfillment) -> bool:
    """Tell whether nothing in the parcel is shipped."""
    ships = {line.id: line.requires_shipping for line in order.lines}
    return not any(ships.get(line.order_line_id, True) for line in fulfillment.lines)


def _wanted(said: Given, known: "_Known") -> Iterator[Entry]:
    yield from said.parcels
    yield from said.returns
    if not said.parcels and (said.common or known.untracked):
        yield said.common


@dataclass(frozen=True, slots=True)
class _Known:
    """What stands behind merchant input: the mapping's rules, and the data file if it is used."""

    words: str  # the shipping method's name
    rules: tuple[ShippingRule, ...]  # the shipping method's first, then the warehouse's
    carriers: bool

    @classmethod
    def of(cls, order: Order, fulfillment: Fulfillment, policy: Policy) -> "_Known":
        """Return what is known of a parcel by its order and its warehouse."""
        found = (
            rule_for(order.shipping_method_name, policy.shipping_methods),
            rule_for(fulfillment.warehouse_slug, policy.warehouses),
        )
        rules = tuple(rule for rule in found if rule)
        return cls(order.shipping_method_name or "", rules, policy.carrier_file)

    @property
    def untracked(self) -> bool:
        """Tell whether the mapping says that such parcels never get a number."""
        return any(not rule.tracked for rule in self.rules)

    def completed(self, one: Entry) -> dict[str, str]:
        """Return an entry with what it lacks, where that is known."""
        made = dict(one)
        linked = self._linked(made.get("tracking_uri"))
        if linked and "tracking_number" not in made:
            made |= {"tracking_number": cleaned("tracking_number", linked.number) or ""}
        if linked and linked.carrier and not self._ruled(linked.carrier):
            made.setdefault("shipping_company", linked.carrier.company)
        if made.keys() - set(RETURNS) or not made:
            self._complete(made, "", self.words)
        if made.keys() & set(RETURNS):
            self._complete(made, "return_", "")
        return entry(made)

    def _ruled(self, carrier: Carrier) -> bool:
        """Tell whether the mapping speaks of this carrier, perhaps by a name that it prefers."""
        companies = (rule.shipping_company for rule in self.rules)
        return any(company and carriers().of_company(company) == carrier for company in companies)

    def _complete(self, made: dict[str, str], side: str, words: str) -> None:
        """Add company, method and link of one side: "" is the parcel, "return_" its way back."""
        company, number, link = (
            f"{side}shipping_company",
            f"{side}tracking_number",
            f"{side}tracking_uri",
        )
        rule = self._rule(company, made.get(company))
        if rule and (value := getattr(rule, company)):
            made.setdefault(company, value)
        if not side and (method := self._first(METHOD)):
            made.setdefault(METHOD, method)
        if self.carriers and company not in made:
            carrier = carriers().of_number(made[number], words) if number in made else None
            if carrier:
                made[company] = carrier.company
        if link not in made and number in made:
            template = getattr(rule, link) if rule else None
            template = template or self._page(made.get(company, ""), made[number])
            if template and (page := filled(template, made[number])):
                made[link] = page

    def _rule(self, company: str, said: str | None) -> ShippingRule | None:
        """Return the rule to take company and link from: both of one, or they may not fit.

        A merchant's own company takes links only from a rule for that company, or for none.
        """
        named = [rule for rule in self.rules if getattr(rule, company)]
        if said is not None:
            fitting = [r for r in named if same_name(getattr(r, company)) == same_name(said)]
            return next(iter(fitting or [rule for rule in self.rules if rule not in named]), None)
        return next(iter(named or self.rules), None)

    def _first(self, name: str) -> str | None:
        return next((value for rule in self.rules if (value := getattr(rule, name))), None)

    def _page(self, company: str, number: str) -> str | None:
        carrier = carriers().of_company(company, number) if self.carriers and company else None
        return carrier.link[0].uri if carrier and carrier.link else None

    def _linked(self, uri: str | None) -> Linked | None:
        """Return what a link tells, by the mapping's templates or the carriers'."""
        if uri is None:
            return None
        for rule in self.rules:
            if rule.tracking_uri and (number := number_in(uri, rule.tracking_uri)):
                return Linked(number, None)
        return carriers().of_link(uri) if self.carriers else None
