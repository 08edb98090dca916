"""Test credentials at Kustom, and tell apart what may be wrong with them (contract, section 2)."""

import uuid

from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import CallError, Refused
from saleor_kustom.kustom.client import KustomClient

_NOT_FOUND, _UNAUTHORIZED, _FORBIDDEN = 404, 401, 403
_OTHER = {"live": "playground", "playground": "live"}


async def check_account(
    kustom: KustomClient, account: Account, known_order: str | None = None
) -> AccountVerdict:
    """Ask for an order that does not exist: a 404 proves that the credentials are right.

    `known_order`: a Kustom order that was captured with this merchant before; when the
    credentials are right but do not show it, they are another merchant's.
    """
    verdict = await _asked(kustom, account, str(uuid.uuid4()))
    if verdict is AccountVerdict.WRONG_PASSWORD:
        return await _elsewhere(kustom, account)
    if verdict is AccountVerdict.RIGHT and known_order is not None:
        return await _owns(kustom, account, known_order)
    return verdict


async def _elsewhere(kustom: KustomClient, account: Account) -> AccountVerdict:
    """Tell whether refused credentials are right in the other environment."""
    other = Account(
        _OTHER[account.environment], account.merchant_id, account.username, account.password
    )
    there = await _asked(kustom, other, str(uuid.uuid4()))
    right = there is AccountVerdict.RIGHT
    return AccountVerdict.WRONG_ENVIRONMENT if right else AccountVerdict.WRONG_PASSWORD


async def _owns(kustom: KustomClient, account: Account, known_order: str) -> AccountVerdict:
    try:
        await kustom.order(account, known_order)
    except Refused as error:
        foreign = error.status in (_NOT_FOUND, _FORBIDDEN)
        return AccountVerdict.FOREIGN_MERCHANT if foreign else AccountVerdict.RIGHT
    except CallError:
        return AccountVerdict.RIGHT  # the first answer has proved it
    return AccountVerdict.RIGHT


async def _asked(kustom: KustomClient, account: Account, order_id: str) -> AccountVerdict:
    try:
        await kustom.order(account, order_id)
    except Refused as error:
        foreign = error.status == _FORBIDDEN  # whether 404 or 403 is assumed, not known
        return AccountVerdict.FOREIGN_MERCHANT if foreign else AccountVerdict.RIGHT
    except CallError as error:
        if error.status == _UNAUTHORIZED:
            return AccountVerdict.WRONG_PASSWORD
        if error.status == _FORBIDDEN:
            return AccountVerdict.BLOCKED
        reached = error.status is not None
        return AccountVerdict.NO_ANSWER if reached else AccountVerdict.NO_NETWORK
    return AccountVerdict.RIGHT
