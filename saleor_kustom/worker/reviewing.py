"""Saleor was told that an authorization is requested: tell it how Kustom's review ended."""

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.linking import LinkWait, kind_of
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.retry import FRAUD_POLL_S
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.linking import Reviewed
from saleor_kustom.worker.errand import Errand

_OPEN = frozenset({"AUTHORIZED", "PART_CAPTURED", "CAPTURED"})


async def report_review(errand: Errand) -> None:
    """Poll until the review has ended, then report it. A checkout's link is done with that.

    What Kustom rejected needs nobody here: Saleor shows the failed authorization.
    """
    link, parts = errand.link, errand.parts
    binding, authorization = await _look(errand)
    if authorization.fraud_status == "PENDING" and authorization.status in _OPEN:
        again = link.failures if link.code == LinkWait.FRAUD_PENDING else 0
        due_in_s = FRAUD_POLL_S[min(again, len(FRAUD_POLL_S) - 1)]
        raise await errand.wait(LinkWait.FRAUD_PENDING, due_in_s, {})
    accepted = authorization.status in _OPEN and authorization.fraud_status == "ACCEPTED"
    minor = authorization.captured_amount_minor + authorization.remaining_minor
    reviewed = Reviewed(
        transaction_id=link.transaction_id or "",
        accepted=accepted,
        amount=to_decimal(
            minor if accepted else authorization.order_amount_minor, authorization.currency
        ),
        psp_reference=link.kustom_order_id,
        message=f"Kustom: {authorization.status}, {authorization.fraud_status}",
        external_url=parts.portal_url(binding),
    )
    of_checkout = kind_of(link.order_id) == "Checkout"
    await errand.before_call()
    try:
        await errand.saleor.report_review(errand.shop, reviewed)
    except Refused as error:
        if of_checkout:  # deleted, and its transaction with it
            raise await errand.done(detail={"message": str(error)}) from error
        raise
    await errand.keep(under_review=False)
    if of_checkout:
        raise await errand.done()


async def _look(errand: Errand) -> tuple[Binding, Authorization]:
    """Read the Kustom order that the storefront was answered for, whoever has it by now."""
    store, api_url = errand.parts.store, errand.shop.api_url
    holder = await store.links.holder(api_url, errand.link.kustom_order_id)
    if holder is None:  # an older database was put back
        raise await errand.wait("no_binding", None, {})
    account = await store.accounts.by_binding(api_url, holder.binding)
    if account is None:
        raise await errand.wait("no_credentials", None, {})
    return holder.binding, await errand.look(holder.binding, account)
