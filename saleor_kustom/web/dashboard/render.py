"""Fragments of HTML from templates; everything is escaped unless a template made it."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, Response

from saleor_kustom.web import statics
from saleor_kustom.web.amounts import amount
from saleor_kustom.web.dashboard.door import ACT, CONFIGURE, Visitor
from saleor_kustom.web.texts import Texts

#: Nothing here is for a cache: it is money, and it is one person's.
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("saleor_kustom.web.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = statics.url
    return made


def html(template: str, texts: Texts, **values: Any) -> str:
    """Return a template filled in. `t`, `money` and `when` are there in every one."""
    return (
        _environment()
        .get_template(template)
        .render(t=texts, money=_money(texts), when=_when, **values)
    )


def page(template: str, visitor: Visitor, **values: Any) -> Response:
    """Return a fragment for a visitor."""
    may = {"act": visitor.may(ACT), "configure": visitor.may(CONFIGURE)}
    text = html(template, visitor.texts, may=may, **values)
    return HTMLResponse(text, headers={**PRIVATE, "Content-Language": visitor.texts.language})


def said(
    texts: Texts, key: str, *, status: str = "success", code: int = 200, go: str = "", **values: Any
) -> Response:
    """Return what an act did, to be shown and read out. `go`: the view to go to, else stay.

    `key`.title and `key`.text are texts; `status` is one of the Dashboard's notifications.
    """
    said_ = {
        "status": status,
        "title": texts(f"{key}.title"),
        "text": texts(f"{key}.text", **values),
    }
    return JSONResponse({"said": said_, "go": go}, status_code=code, headers=PRIVATE)


def _money(texts: Texts) -> Callable[[int | None, str | None], str]:
    return lambda minor, currency: amount(minor, currency, texts.language)


def _when(seconds: float | None, form: str = "full") -> Markup:
    """Return a time that the browser writes in the merchant's zone and language.

    Forms: full, second, day, relative. Without JavaScript it is UTC.
    """
    if seconds is None:
        return Markup("\u2013")
    at = datetime.fromtimestamp(seconds, UTC)
    plain = at.strftime("%Y-%m-%d" if form == "day" else "%Y-%m-%d %H:%M UTC")
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), form, plain
    )
