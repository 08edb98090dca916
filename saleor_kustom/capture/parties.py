"""Whom we act for: a shop at Saleor and a merchant account at Kustom."""

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Whether a shop's fulfillments move money (domain rule 25)."""

    OBSERVE = "observe"  # write nothing at Kustom or Saleor; list what would have been done
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Shop:
    """A Saleor that installed us. `api_url` is its identity; `app_id` changes on re-install."""

    api_url: str
    app_id: str
    token: str = field(repr=False)
    saleor_version: str = ""  # "3.22.67"; empty: not known
    mode: Mode | None = None  # None: playground captures, live observes (domain rule 25)


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials of one merchant at Kustom, in one environment."""

    environment: str  # playground | live
    merchant_id: str
    username: str
    password: str = field(repr=False)
