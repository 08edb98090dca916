"""Find what a person means, by any id or number; and show a time where they are."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from saleor_kustom.errors import SettingsError
from saleor_kustom.store import Capture, Store

Term = Annotated[
    str,
    typer.Argument(
        metavar="ORDER|FULFILLMENT|CAPTURE",
        help="An order number or any id of Saleor's or Kustom's; row:97 is our own number.",
    ),
]
OneShop = Annotated[
    str | None,
    typer.Option("--saleor-api-url", help="One shop's GraphQL URL; default: every shop."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Zone = Annotated[
    str | None, typer.Option("--timezone", help="As Europe/Stockholm; default: this machine's.")
]


async def find(store: Store, term: str, api_url: str | None) -> Sequence[Capture]:
    """Return the captures that a term means. Raises SettingsError when there are none."""
    found = await store.looking.find(term.strip(), api_url)
    if not found:
        raise SettingsError(
            f"no capture is known of {term!r}. It may be an order number, or an id of an order, "
            "fulfillment, Kustom order or capture, written in full; saleor-kustom reconcile looks "
            "for what was never delivered"
        )
    return found


def zone_of(name: str | None) -> tzinfo | None:
    """Return a time zone; None: this machine's. Raises SettingsError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"--timezone: {name!r} is none; right would be, for example: Europe/Stockholm"
        ) from None


def local(at: float | None, zone: tzinfo | None) -> str:
    """Return a time where the reader is, with its distance from UTC."""
    if at is None:
        return ""
    moment = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return moment.isoformat(sep=" ", timespec="seconds")


def utc(at: float | None) -> str | None:
    """Return a time for a program."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
