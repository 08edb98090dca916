"""Whom we act for: a shop at Saleor and a merchant account at Kustom."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
    #: What the merchant chose (policy.py): documents by channel, "" the shop's own.
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials of one merchant at Kustom, in one environment."""

    environment: str  # playground | live
    merchant_id: str
    username: str
    password: str = field(repr=False)


def merchant_of(username: str) -> str:
    """Return the merchant id (MID) that a username begins with: PM12345-abcdef, K12345_abc."""
    return re.split(r"[-_]", username, maxsplit=1)[0]
