"""Operations: what is asked for an order beside the captures of its parcels.

They are rows of `capture` too, so that all that is promised of a capture holds for them; this
only makes them, each once, and settles what Saleor's requests are answered with.
"""

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.capture.operation import Kind, Request, Source
from saleor_kustom.capture.state import State
from saleor_kustom.store import operation_sql as sql
from saleor_kustom.store.capture_row import Capture, capture_of
from saleor_kustom.store.capture_sql import GET
from saleor_kustom.store.captures import unbound_line
from saleor_kustom.store.database import Database
from saleor_kustom.store.deliveries import IS_NEW, KEEP, kept_params

#: So long after the answer Saleor is told of the outcome: it has read the answer by then.
SETTLES_S = 2.0
#: What a cancelled order asks for, where the channel's policy wants it: once an order.
CANCELLED = (
    Kind.CANCEL,
    ("order_cancelled", "cancel"),
    Request(source=Source.POLICY, why="the order was cancelled in Saleor"),
)
_MONEY_MOVED = frozenset({State.CAPTURED, State.REPORTED})
_ENDED = _MONEY_MOVED | {State.NOTHING, State.WITHDRAWN}


class Operations:
    """Makes operations, and what they are answered with."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def receive(
        self,
        api_url: str,
        delivery: Delivery,
        body: VerifiedBody,
        kind: Kind,
        request: Request,
        *,
        traceparent: str | None = None,
    ) -> Capture:
        """Store a request of Saleor and its operation durably; return the operation.

        The same bytes again return the operation that they made before.
        Raises StoreUnavailable when it is not known to be on disk.
        """
        params = kept_params(api_url, delivery, body, traceparent) | {
            "created": kind.value,
            "kind": kind.value,
            "request": request.model_dump_json(),
            "unbound_line": unbound_line(api_url, delivery.order_id),
        }
        turn = self._db.in_turn(api_url, delivery.order_id)
        [row] = await self._db(
            *turn, (KEEP, params), (sql.MAKE_REQUESTED, params), (sql.REQUESTED, params)
        )
        return capture_of(row)

    async def order_cancelled(
        self,
        api_url: str,
        delivery: Delivery,
        body: VerifiedBody,
        *,
        traceparent: str | None = None,
    ) -> bool:
        """Store that an order was cancelled, and the operation that a channel's policy wants then.

        Returns False for a delivery that is stored already. Raises StoreUnavailable.
        """
        params = kept_params(api_url, delivery, body, traceparent)
        asked = self._asked(api_url, delivery.order_id or "", *CANCELLED)
        turn = self._db.in_turn(api_url, delivery.order_id)
        made = [(text, asked) for text in (sql.MAKE_ASKED, sql.ASKED)]
        return bool(await self._db(*turn, (KEEP, params), *made, (IS_NEW, params)))

    async def answer(self, operation: Capture, answer: str) -> Capture:
        """Settle what Saleor is answered: `result` or `later`. Return the operation as it is now.

        Whoever comes first decides; `answer` of what is returned says which it was.
        """
        params = {"api_url": operation.api_url, "id": operation.id}
        change = (sql.ANSWER, {**params, "answer": answer, "settles": SETTLES_S})
        [row] = await self._db(change, (GET, params))
        return capture_of(row)

    async def ask(
        self, api_url: str, order_id: str, kind: Kind, key: tuple[str, str], request: Request
    ) -> Capture:
        """Make an operation that a person or a policy asks for, once; return it.

        A person who asks again has it decided anew, unless it is under way or done.
        """
        params = self._asked(api_url, order_id, kind, key, request)
        again = [(sql.ASK_AGAIN, params)] if request.source is Source.PERSON else []
        [row] = await self._db(
            *self._db.in_turn(api_url, order_id),
            (sql.MAKE_ASKED, params),
            (sql.ASKED, params),
            *again,
            (sql.FIND_ASKED, params),
        )
        return capture_of(row)

    async def refund(self, parcel: Capture, request: Request) -> Capture | None:
        """Ask for the refund of a cancelled parcel's capture; None: it is no such parcel."""
        if not (parcel.is_parcel and parcel.canceled and parcel.state in _MONEY_MOVED):
            return None
        key = (parcel.fulfillment_id, "refund")
        return await self.ask(parcel.api_url, parcel.order_id, Kind.REFUND, key, request)

    async def close(self, api_url: str, order_id: str, request: Request) -> Capture:
        """Ask for an order's closing, with `fee_first` for the charge of its fee before that.

        While one is open no other is made.
        """
        rows = await self._db.read(sql.CLOSINGS, {"api_url": api_url, "order_id": order_id})
        closings = [capture_of(row) for row in rows]
        number = str(1 + sum(each.state in _ENDED for each in closings))
        turn = self._db.in_turn(api_url, order_id)
        fee, closing = (
            self._asked(api_url, order_id, kind, (key, number), request)
            for kind, key in ((Kind.CHARGE, "fee"), (Kind.RELEASE, "close"))
        )
        is_open = any(each.state not in _ENDED for each in closings)
        # The fee first: what is older on the line goes first.
        wanted = [fee, closing] if request.fee_first and not is_open else [closing]
        made = [(text, each) for each in wanted for text in (sql.MAKE_ASKED, sql.ASKED)]
        [row] = await self._db(*turn, *made, (sql.FIND_ASKED, closing))
        return capture_of(row)

    def _asked(
        self, api_url: str, order_id: str, kind: Kind, key: tuple[str, str], request: Request
    ) -> dict[str, str]:
        return {
            "api_url": api_url,
            "order_id": order_id,
            "kind": kind.value,
            "key": key[0],
            "created": key[1],
            "request": request.model_dump_json(),
            "unbound_line": unbound_line(api_url, order_id),
        }
