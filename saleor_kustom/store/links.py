"""Links: what was asked for, the queue of what is left to do, and who has which Kustom order.

Claims, leases and fences are those of `captures`: a crash needs no code, the row falls due again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.linking import How, LinkState
from saleor_kustom.capture.plan import Binding
from saleor_kustom.store import link_sql as sql
from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.capture_sql import MOVE_LINE, WAKE_ORDER
from saleor_kustom.store.captures import LeaseLost
from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.link_row import Link, link_of, written


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a Kustom order: an order, or the checkout that its storefront was answered for."""

    api_url: str
    order_id: str
    binding: Binding
    transaction_id: str | None
    is_checkout: bool
    age_s: float  # since it got it


class Links:
    """Rows of `link`, and of `binding` where a link or a storefront makes them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._claim = sql.CLAIM.replace("{lock}", db.tokens["lock"])

    async def ask(
        self,
        api_url: str,
        order_id: str,
        kustom_order_id: str,
        *,
        how: How,
        who: str,
        state: LinkState = LinkState.ASKED,
        transaction_id: str | None = None,
        under_review: bool = False,
        due_in_s: float = 0.0,
    ) -> Link:
        """Store that an order is to get a Kustom order; return the row as it is then.

        `state` BOUND, with the transaction: a storefront was answered so. A row that names
        another Kustom order than was asked for is bound to that for good.
        """
        params = {
            "api_url": api_url,
            "order_id": order_id,
            "kustom_order_id": kustom_order_id,
            "how": how.value,
            "who": who,
            "state": state.value,
            "transaction_id": transaction_id,
            "under_review": int(under_review),
            "due_in": due_in_s,
        }
        turn = self._db.in_turn(api_url, order_id)
        [row] = await self._db(*turn, (sql.ASK, params), (sql.GET, params))
        return link_of(row)

    async def get(self, api_url: str, order_id: str) -> Link | None:
        """Return what was asked for an order last, or None."""
        rows = await self._db.read(sql.GET, {"api_url": api_url, "order_id": order_id})
        return link_of(rows[0]) if rows else None

    async def start(self) -> int:
        """Free what the only process ran when it died (SQLite; see Captures.start)."""
        if self._db.dialect != "sqlite":
            return 0
        return len(await self._db((sql.RELEASE_DEAD, {})))

    async def claim(self, worker: str, limit: int, lease_s: float) -> list[Link]:
        """Lease up to `limit` due links, the longest due first."""
        params = {"worker": worker, "limit": limit, "lease": lease_s}
        return [link_of(row) for row in await self._db((self._claim, params))]

    async def claim_one(self, link: Link, worker: str, lease_s: float) -> Link | None:
        """Lease one link now, whenever it is due; None: another run has it, or it is done."""
        params = {"worker": worker, "id": link.id, "lease": lease_s}
        rows = await self._db((sql.CLAIM_ONE, params))
        return link_of(rows[0]) if rows else None

    async def renew(self, link: Link, lease_s: float) -> None:
        """Make the lease last `lease_s` from now. Raises LeaseLost."""
        if not await self._db((sql.RENEW, {**_fence(link), "lease": lease_s})):
            raise _lost(link)

    async def save(
        self,
        link: Link,
        *,
        keep: bool,
        due_in_s: float | None = None,
        lease_s: float = 60.0,
        note: str | None = None,
        **columns: Any,
    ) -> Link:
        """Write columns if the lease is still ours. Raises LeaseLost.

        keep: go on, with the lease renewed. Else it is released and due in `due_in_s` (None: done,
        or somebody must ask again). `note`: a line of the shop's history beside it.
        """
        params = {**_fence(link), **written(columns), "lease": lease_s, "due_in": due_in_s}
        sets = "".join(f", {name} = :{name}" for name in columns)
        update = (sql.KEEP_GOING if keep else sql.LET_GO).replace("{sets}", sets)
        params |= {"what": note, "told": as_json(_told(link, columns))}
        history = ((sql.NOTED, params),) if note else ()
        rows = await self._db(*history, (update, params))
        if not rows:
            raise _lost(link)
        return link_of(rows[0])

    async def bind(
        self,
        link: Link,
        binding: Binding,
        *,
        order_id: str,
        order_number: str,
        checkout_id: str | None,
        takes_over: bool,
        lease_s: float,
    ) -> Link | None:
        """Give the order its Kustom order for good and wake its captures (domain rule 6).

        `takes_over`: from a checkout of the shop too, which a person may. None: one of the two is
        bound to another, or the lease was lost; nothing has changed then.
        """
        params = {
            **_fence(link),
            **_bound(link.api_url, order_id, binding),
            "order_number": order_number,
            "checkout_id": checkout_id or "",
            "takes_over": int(takes_over),
            "how": link.how.value,
            "line": binding.line,
            "account": f"{binding.environment}/{binding.merchant_id}",
            "lease": lease_s,
        }
        rows = await self._db(
            *self._db.in_turn(link.api_url, order_id),
            (sql.TAKE_OVER_FENCED, params),
            (sql.BIND_FENCED, params),
            (MOVE_LINE, params),
            (WAKE_ORDER, params),
            (sql.BOUND, params),
        )
        return link_of(rows[0]) if rows else None

    async def reserve(
        self,
        api_url: str,
        source_id: str,
        binding: Binding,
        transaction_id: str,
        *,
        is_checkout: bool,
        settled_s: float,
    ) -> Sequence[Holder]:
        """Give a checkout or an order its Kustom order, for one transaction of Saleor.

        Returns who has the Kustom order and what the source has: both are the same row, with
        that transaction, when it was given. `settled_s`: after so long an earlier answer can't
        come true any more, and another transaction or Kustom order may take its place.
        """
        params = {
            **_bound(api_url, source_id, binding),
            "how": "checkout" if is_checkout else "session",
            "transaction_id": transaction_id,
            "settled": settled_s,
            "line": binding.line,
            "account": f"{binding.environment}/{binding.merchant_id}",
        }
        rows = await self._db(
            *self._db.in_turn(api_url, source_id),
            (sql.RESERVE_ANOTHER, params),
            (sql.RESERVE, params),
            (sql.RESERVE_AGAIN, params),
            (MOVE_LINE, params),
            (sql.RESERVED, params),
        )
        return [_holder(row) for row in rows]

    async def holders(self, api_url: str, order_id: str, binding: Binding) -> Sequence[Holder]:
        """Return who has a Kustom order, and what an order has."""
        params = _bound(api_url, order_id, binding)
        return [_holder(row) for row in await self._db((sql.RESERVED, params))]

    async def holder(self, api_url: str, kustom_order_id: str) -> Holder | None:
        """Return who in a shop has a Kustom order of that id."""
        params = {"api_url": api_url, "kustom_order_id": kustom_order_id}
        rows = await self._db((sql.HOLDER, params))
        return _holder(rows[0]) if rows else None

    async def release_all(self, worker: str) -> int:
        """Hand back what `worker` still runs, due now."""
        return len(await self._db((sql.RELEASE_ALL, {"worker": worker})))

    async def list(self, api_url: str, *, linked: bool, limit: int) -> Sequence[Link]:
        """Return a shop's links, newest first; `linked`: those that are done too."""
        params = {"api_url": api_url, "all": int(linked), "limit": limit}
        return [link_of(row) for row in await self._db.read(sql.LIST, params)]


def _bound(api_url: str, order_id: str, binding: Binding) -> dict[str, Any]:
    return {
        "api_url": api_url,
        "order_id": order_id,
        "environment": binding.environment,
        "merchant_id": binding.merchant_id,
        "kustom_order_id": binding.kustom_order_id,
    }


def _holder(row: Row) -> Holder:
    return Holder(
        row["api_url"],
        row["order_id"],
        Binding(row["environment"], row["merchant_id"], row["kustom_order_id"]),
        row["transaction_id"],
        row["how"] == "checkout",
        float(row["age_s"]),
    )


def _fence(link: Link) -> dict[str, Any]:
    return {"id": link.id, "attempts": link.attempts, "worker": link.worker}


def _told(link: Link, columns: Mapping[str, Any]) -> dict[str, Any]:
    told = {"order": link.order_id, "kustom_order": link.kustom_order_id, "who": link.who}
    told |= {"how": link.how.value}
    return told | {k: v for k, v in columns.items() if k in ("code", "detail", "transaction_id")}


def _lost(link: Link) -> LeaseLost:
    return LeaseLost(f"the link of order {link.order_id}")
