"""`support-bundle`: what somebody needs to help, without secrets and without personal data.

Nothing is cut out of what we have: only what is listed here is put in. Names of products,
tracking, links, what people wrote, and answers' own words stay here; ids, amounts, codes, times
and Kustom's correlation ids go along.
"""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from saleor_kustom import __version__
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.common import with_store
from saleor_kustom.cli.finding import OneShop, Term, find, utc
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store

#: Lines of a request: what the arithmetic is about.
_LINE = (
    *("type", "quantity", "unit_price", "tax_rate", "total_amount"),
    *("total_discount_amount", "total_tax_amount"),
)
#: A plan without the body.
_PLAN = (
    *("reference", "amount_minor", "base_minor", "shipping_minor", "charges_shipping"),
    *("gift_card_minor", "store_credit_minor", "adjustment_minor", "units", "taken_over"),
    "takes_over",
)
_CAPTURE = (
    *("id", "kind", "order_id", "order_number", "fulfillment_id", "fulfillment_created"),
    *("fulfillment_number", "channel", "currency", "line", "account", "held", "waiting"),
    *("canceled", "attempts", "failures", "wakes", "idempotency_key", "amount_minor"),
    *("capture_id", "report_problem", "without_tracking"),
)
_TIMES = (
    *("due_at", "sent_first_at", "sent_last_at", "captured_at", "reported_at"),
    *("created_at", "updated_at"),
)
#: What history may say: codes of ours and of Kustom's, ids, amounts.
_DETAIL = (
    *("why", "reason", "code", "status", "correlation_id", "capture_id", "amount_minor", "key"),
    *("looked_up", "entries", "problem", "scope"),
)
#: A word that a program wrote. What a person wrote has blanks, or looks like nothing of this.
_MOST = 100


def support_bundle(
    term: Term,
    saleor_api_url: OneShop = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="On one line, for a program.")] = False,
) -> None:
    """Gather what somebody needs to help with an order: no secrets, no personal data.

    Read it before you send it, all the same.

    Example: saleor-kustom support-bundle 1042 -o bundle.json
    """

    async def task(settings: Settings, store: Store) -> dict[str, Any]:
        found = await find(store, term, saleor_api_url)
        orders = dict.fromkeys((row.api_url, row.order_id) for row in found)
        return {
            "made_by": f"saleor-kustom {__version__}",
            "python": platform.python_version(),
            "settings": _settings(settings),
            "orders": [await _order(store, *order) for order in orders],
        }

    text = json.dumps(with_store(task), ensure_ascii=False, indent=None if as_json else 2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"Read it, then send it: {output}", err=True)


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "database": settings.database_url.partition(":")[0],
        "app_url": settings.app_url,
        "kustom_live_url": settings.kustom_live_url,
        "kustom_playground_url": settings.kustom_playground_url,
        "allowed_shops": len(settings.allowed_saleor_urls),
        "allow_private_hosts": settings.allow_private_hosts,
        "dashboard_origins": list(settings.dashboard_origins),
        "extra_currencies": list(settings.extra_currencies),
        "extend_authorizations": settings.extend_authorizations,
        "concurrency": settings.concurrency,
        "rate_per_second": settings.rate_per_second,
    }


async def _order(store: Store, api_url: str, order_id: str) -> dict[str, Any]:
    shop = await store.shops.get(api_url)
    bound = await store.looking.bound(api_url, order_id)
    seen = await store.authorizations.get(api_url, order_id)
    rows = await store.captures.of_order(api_url, order_id)
    return {
        "shop": _shop(api_url, shop),
        "pauses": [
            {"scope": one.scope, "key": one.key, "at": utc(one.at)}
            for one in await store.pauses.list(api_url)
        ],
        "binding": bound and {**bound, "bound_at": utc(bound["bound_at"])},
        "authorization": seen
        and {
            "remaining_minor": seen.remaining_minor,
            "currency": seen.currency,
            "expires_at": utc(seen.expires_at),
            "seen_at": utc(seen.seen_at),
        },
        "deliveries": [
            {
                "event": one["event"],
                "received_at": utc(one["received_at"]),
                "fulfillment_id": one["fulfillment_id"],
                "not_understood": one["problem"] is not None,
                "bytes": one["bytes"],
                "sha256": one["body_sha256"],
            }
            for one in await store.looking.deliveries(api_url, order_id)
        ],
        "captures": [await _capture(store, row) for row in rows],
    }


def _shop(api_url: str, shop: Shop | None) -> dict[str, Any]:
    if shop is None:
        return {"api_url": api_url, "installed": False}
    return {
        "api_url": api_url,
        "installed": True,
        "app_id": shop.app_id,
        "saleor_version": shop.saleor_version,
        "mode": shop.mode,
    }


async def _capture(store: Store, row: Capture) -> dict[str, Any]:
    plan = json.loads(row.plan) if row.plan else {}
    body = json.loads(plan.get("body") or "{}")
    return {
        **{name: getattr(row, name) for name in _CAPTURE},
        **{name: utc(getattr(row, name)) for name in _TIMES},
        "state": row.state.value,
        "held_detail": _said(row.held_detail),
        "tracking_sent": len(row.tracking_sent),
        "tracking_refused": row.tracking_problem is not None,
        "plan": {name: plan[name] for name in _PLAN if name in plan},
        "lines": [
            {name: line[name] for name in _LINE if name in line}
            for line in body.get("order_lines", ())
        ],
        "history": [
            {"at": utc(one["at"]), "what": one["what"], **_said(one["detail"])}
            for one in await store.captures.history(row.api_url, row.id)
        ],
    }


def _said(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a program said in a detail; what a person wrote is left out."""
    told = _DETAIL if "who" not in detail else [name for name in _DETAIL if name != "why"]
    return {name: detail[name] for name in told if name in detail and _plain(detail[name])}


def _plain(value: Any) -> bool:
    """Tell a code, id or number from a sentence: reasons of ours have no blanks."""
    if isinstance(value, str):
        return len(value) <= _MOST and value.isascii() and not set(value) & set(" \t\n@")
    return value is None or isinstance(value, bool | int | float)
