"""What a merchant has chosen, per channel: every choice, and how choices are written and read.

A field of `Policy` is all that a new choice needs. Its type says what is allowed, `_about` what
it is for and a right example; commands, storage and errors follow from both. A document is a
JSON object of what was chosen and nothing more, so that a default which is not touched stays
one. Merged are: defaults < environment < the shop's document < the channel's.
"""

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from saleor_kustom.capture.shipping_rules import Rules
from saleor_kustom.errors import BadPolicy

Document = Mapping[str, Any]


class ShippingFee(StrEnum):
    """With which parcel the shipping fee is captured (domain rule 10)."""

    FIRST = "first"  # the first that holds something which requires shipping
    LAST = "last"  # the last such
    PROPORTIONAL = "proportional"  # by units, like a line of its own


class GiftCard(StrEnum):
    """How a gift card's part is spread over the parcels (domain rule 11)."""

    PROPORTIONAL = "proportional"  # by the parcels' amounts
    LAST = "last"  # as late as possible


class MerchantReferences(StrEnum):
    """Whether linking tells Kustom the order's number, as its merchant_reference1."""

    IF_EMPTY = "if_empty"  # only where there is none
    OVERWRITE = "overwrite"  # wherever it is another text, as "#12" for the order 12
    NEVER = "never"


class ForeignTransaction(StrEnum):
    """What Saleor is told where it has no transaction that we may report on (domain rule 24)."""

    METADATA = "metadata"  # metadata only; whoever owns the transaction tells its amounts
    OWN = "own"  # a transaction of our own carries the charges, so that the order becomes paid


def _about(description: str, example: Any) -> FieldInfo:
    """Return what a choice is for, and a right example, for tables and errors."""
    made: FieldInfo = Field(description=description, examples=[example])
    return made


_Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
_ProductUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s{}]+\{slug\}[^\s{}]*$")]
_Key = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,256}$", strip_whitespace=True)]


@dataclass(frozen=True, slots=True)
class Policy:
    """A channel's choices, with the defaults that a new installation has."""

    shipping_fee: Annotated[
        ShippingFee, _about("with which parcel the shipping fee is captured", "last")
    ] = ShippingFee.FIRST
    gift_card: Annotated[
        GiftCard, _about("how a gift card's part is spread over the parcels", "last")
    ] = GiftCard.PROPORTIONAL
    foreign_transaction: Annotated[
        ForeignTransaction,
        _about("whether a transaction of the app's own carries charges where it must not "
               "report on the order's", "own"),
    ] = ForeignTransaction.METADATA  # fmt: skip
    order_notes: Annotated[
        bool, _about("a note on the order when a parcel is held or captured", example=True)
    ] = False
    extend_authorizations: Annotated[
        bool, _about("ask Kustom for more time before an authorization expires", example=True)
    ] = False
    refund_canceled: Annotated[
        bool,
        _about("refund a parcel that was cancelled after its capture by itself, unless it ships "
               "again", example=True),
    ] = False  # fmt: skip
    refund_canceled_after_s: Annotated[
        float, Field(ge=0.0, description="how long such a parcel waits, in seconds",
                     examples=[172_800.0]),
    ] = 86_400.0  # fmt: skip
    cancel_at_kustom: Annotated[
        bool,
        _about("cancel a cancelled order at Kustom too, if nothing of it was captured",
               example=True),
    ] = False  # fmt: skip
    extra_currencies: Annotated[
        frozenset[_Currency], _about("currencies to allow beside Kustom's own", ["CZK", "HUF"])
    ] = frozenset()
    product_url: Annotated[
        _ProductUrl | None,
        _about("storefront link of a product", "https://shop.example/products/{slug}"),
    ] = None
    kustom_order_id_key: Annotated[
        _Key, _about("metadata key in which the checkout writes the Kustom order id",
                     "kustom_order_id"),
    ] = "kustom_order_id"  # fmt: skip
    shipping_methods: Annotated[
        Rules,
        _about("what Kustom is told of parcels, by the name of the order's shipping method", {
            "PostNord MyPack": {"shipping_company": "PostNord SE", "shipping_method": "PickUpPoint"}
        }),
    ] = ()  # fmt: skip
    warehouses: Annotated[
        Rules, _about("the same by the warehouse's slug", {"oslo": {"shipping_company": "Bring"}})
    ] = ()
    carrier_file: Annotated[
        bool, _about("let the file of carriers name companies and links", example=False)
    ] = True
    merchant_references: Annotated[
        MerchantReferences,
        _about("whether linking sets Kustom's merchant reference to the order's number", "never"),
    ] = MerchantReferences.IF_EMPTY


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of Policy as people see it."""

    key: str
    description: str
    example: Any
    default: Any  # as JSON has it
    adapter: TypeAdapter[Any]

    def read(self, value: Any) -> Any:
        """Return a JSON value as the policy has it. Raises ValueError with what is wrong."""
        try:
            return self.adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            raise ValueError(re.sub("^(Input|String) ", "", found[0]["msg"])) from None

    def written(self, value: Any) -> Any:
        """Return a value of the policy as JSON has it; sets are sorted."""
        made = self.adapter.dump_python(value, mode="json")
        return sorted(made) if isinstance(value, frozenset) else made


def policy_from(document: Document, base: Policy | None = None) -> Policy:
    """Return a policy with the document's choices, and `base`'s for the rest.

    Raises BadPolicy with every unknown key and bad value, each with a right example.
    """
    values, faults = _read(document)
    if faults:
        raise BadPolicy(faults)
    return replace(base or Policy(), **values)


def merged(base: Policy, documents: Iterable[Document]) -> tuple[Policy, tuple[str, ...]]:
    """Return `base` under stored documents, later ones first, and what could not be read.

    What an older or newer release of the app stored must not stop captures: what can't be read
    is left out and told.
    """
    told: list[str] = []
    for document in documents:
        values, faults = _read(document)
        base = replace(base, **values)
        told += faults
    return base, tuple(told)


def document_of(policy: Policy, base: Policy | None = None) -> dict[str, Any]:
    """Return what of a policy differs from the defaults (or from `base`), as JSON has it."""
    ours, theirs = as_json(policy), as_json(base or Policy())
    return {key: value for key, value in ours.items() if value != theirs[key]}


def as_json(policy: Policy) -> dict[str, Any]:
    """Return every choice of a policy, as JSON has it."""
    return {c.key: c.written(getattr(policy, c.key)) for c in choices().values()}


def value_of(key: str, text: str) -> Any:
    """Return what a person typed for a key, as JSON has it. Raises BadPolicy."""
    choice = choices().get(key)
    if choice is None:
        raise BadPolicy([_unknown(key)])
    faults = []
    for value in _readings(text):
        try:
            return choice.written(choice.read(value))
        except ValueError as error:
            faults.append((value, f"{key}: {_shown(text)} {error}{_right(choice)}"))
    # A list or a mapping is told what is wrong in it, not that its text is none.
    kind = type(choice.default)
    meant = [fault for value, fault in faults if kind in (list, dict) and type(value) is kind]
    raise BadPolicy([meant[-1] if meant else faults[0][1]])


@lru_cache(maxsize=1)
def choices() -> Mapping[str, Choice]:
    """Return every choice there is, by key, in the order of Policy's fields."""
    hints = get_type_hints(Policy, include_extras=True)
    defaults = Policy()
    return {
        f.name: _choice(f.name, hints[f.name], getattr(defaults, f.name)) for f in fields(Policy)
    }


def typed(value: Any) -> str:
    """Return a JSON value as a person would type it: what `value_of` reads again."""
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False)


def _choice(key: str, hint: Any, default: Any) -> Choice:
    """Read what a field's type and annotation say; a field without annotation is one too."""
    adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False))
    about = next((part for part in get_args(hint) if isinstance(part, FieldInfo)), None)
    choice = Choice(key, (about and about.description) or "", None, None, adapter)
    written = choice.written(default)
    example = about.examples[0] if about and about.examples else written
    return replace(choice, example=example, default=written)


def _read(document: Document) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults = []
    for key, value in document.items():
        choice = choices().get(key)
        if choice is None:
            faults.append(_unknown(key))
            continue
        try:
            values[key] = choice.read(value)
        except ValueError as error:
            faults.append(f"{key}: {_shown(value)} {error}{_right(choice)}")
    return values, faults


def _readings(text: str) -> Iterator[Any]:
    """Yield what a typed text may mean, the likeliest first.

    The text itself; JSON (`true`, `24`, `{"a": "b"}`); a comma-separated list. Nothing typed
    is none, an empty list or an empty mapping, whichever is allowed.
    """
    if not text:
        yield from (None, [], {}, "")
        return
    yield text
    with contextlib.suppress(ValueError, RecursionError):
        yield json.loads(text)
    yield [entry.strip() for entry in text.split(",") if entry.strip()]


def _right(choice: Choice) -> str:
    return f"; right would be, for example: {typed(choice.example) or '(empty)'}"


def _unknown(key: str) -> str:
    close = difflib.get_close_matches(str(key), choices(), n=1, cutoff=0.0)
    return f"{str(key)[:60]}: there is no such choice; right would be, for example: {close[0]}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(text[:60])
