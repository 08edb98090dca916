"""Every command, found by asking the command line itself, and how each is tried.

A new command is tried only when it is listed here, and a test fails while it is not. The
arguments name a shop and things in it: `{shop}`, `{order}` (id), `{number}` (of the order),
`{capture}` (row), `{capture_id}`, `{kustom_order}`, `{fulfillment}`.
"""

from typer.main import get_command

from saleor_kustom.cli import app

#: What is asked of each command; every one that names a shop must name it as {shop}.
TRIES = {
    "captures": [
        ["captures", "{shop}", "--json"],
        ["captures", "{shop}"],
        ["captures", "{shop}", "--held", "--json"],
        *(
            ["captures", "{shop}", "--json", "--search", found]
            for found in ("{number}", "{order}", "{capture_id}", "{kustom_order}", "{fulfillment}")
        ),
    ],
    "kustom-webhook": [["kustom-webhook", "{shop}", "--rotate"]],
    "outside": [["outside", "{shop}"], ["outside", "{shop}", "--json"]],
    "credentials list": [["credentials", "list", "--saleor-api-url", "{shop}"]],
    "credentials test": [["credentials", "test", "--saleor-api-url", "{shop}"]],
    "credentials set": [
        [
            *("credentials", "set", "--saleor-api-url", "{shop}"),
            *("--username", "PM9-own", "--environment", "playground"),
        ]
    ],
    "erase": [
        ["erase", "{shop}", "{number}", "--yes"],
        ["erase", "{shop}", "{order}", "--yes"],
    ],
    "expiring": [["expiring", "{shop}", "--json", "--within", "1000"]],
    "extend": [
        ["extend", "{shop}", "{order}", "--json"],
        ["extend", "{shop}", "{number}"],
    ],
    "mode": [["mode", "{shop}", "observe"]],
    "policy show": [["policy", "show", "{shop}", "--json"]],
    "policy set": [["policy", "set", "{shop}", "gift_card=last"]],
    "policy unset": [["policy", "unset", "{shop}", "gift_card"]],
    "reconcile": [
        ["reconcile", "--saleor-api-url", "{shop}", "--dry-run", "--json"],
        ["reconcile", "--saleor-api-url", "{shop}", "--json"],
        ["reconcile", "--saleor-api-url", "{shop}", "--before-install", "--dry-run"],
    ],
    "doctor": [["doctor", "--saleor-api-url", "{shop}", "--json"]],
    "export": [
        ["export", "--saleor-api-url", "{shop}"],
        ["export", "--saleor-api-url", "{shop}", "--json"],
    ],
    # Before it asks for anything itself, which it may see afterwards.
    "links": [["links", "{shop}", "--json"]],
    "link": [
        ["link", "{shop}", "{order}", "{kustom_order}", "--json"],
        ["link", "{shop}", "{number}", "{kustom_order}", "--dry-run", "--json"],
    ],
    "link-token": [["link-token", "{shop}"]],
    "refund": [["refund", "{order}", "--saleor-api-url", "{shop}", "--why", "the walk"]],
    "close": [
        ["close", "{shop}", "{number}", "--yes", "--why", "the walk"],
        ["close", "{shop}", "{order}", "--yes", "--why", "the walk"],
    ],
    "webhooks show": [["webhooks", "show", "{shop}", "--json"]],
    "webhooks sync": [
        ["webhooks", "sync", "{shop}", "--dry-run", "--json"],
        ["webhooks", "sync", "{shop}"],
    ],
    "pause": [
        ["pause", "{shop}", "--order", "{number}", "--why", "the walk"],
        ["pause", "{shop}", "--order", "{order}", "--why", "the walk"],
    ],
    "unpause": [["unpause", "{shop}", "--order", "{order}", "--why", "the walk"]],
    **{
        name: [
            [name, term, "--saleor-api-url", "{shop}", *more]
            for term in ("{number}", "{order}", "{capture_id}", "{fulfillment}", "row:{capture}")
        ]
        for name, more in {
            "resume": ("--why", "the walk"),
            "retry": ("--why", "the walk"),
            "hold": ("--why", "the walk"),
            "settle": ("--why", "the walk"),
            "show": ("--json",),
            "support-bundle": (),
        }.items()
    },
}

#: For the operator of the whole installation, about no shop in particular; or no data at all.
OF_THE_OPERATOR = {
    *("bench", "db copy", "demo", "plan", "sandbox", "secrets rotate", "serve", "shops", "status"),
    *("version", "work"),
}


def every_command():
    """Return the name of every command, those of groups as "group command"."""
    return sorted(_names(get_command(app), ()))


def _names(command, path):
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path)
        return
    for name, one in inner.items():
        yield from _names(one, (*path, name))
