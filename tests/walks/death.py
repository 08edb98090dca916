"""Points at which a process can die, and the story that it dies in.

A point is before and after each statement batch at the database and each request to Kustom and
Saleor: every await at which something outside of the process's memory changes or is learned.
"""

import contextlib
import re
from datetime import UTC, datetime

import httpx

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.signing import Signer
from saleor_kustom.sandbox.world import World, open_world
from tests.walks.conftest import MUGS, Clock

SIGNER = Signer.new()  # making a key costs more than dying
GUARDS = ("both", "no look", "no key")
#: How what takes the next capture or link begins: it is only a point if it finds one.
_CLAIMS = ("with head as", "update link set worker")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Died(BaseException):
    """The process is gone."""


def _raise(name):
    raise Died(name)


class Fuse:
    """Counts points and dies at the chosen one; `die` is how."""

    def __init__(self, dies_at, die=_raise):
        self.dies_at = dies_at
        self.names = []
        self.lit = False
        self._die = die

    @property
    def points(self):
        return len(self.names)

    def point(self, name):
        if not self.lit:
            return
        self.names.append(name)
        if self.points == self.dies_at:
            self._die(name)


class TappedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner, fuse):
        self._inner, self._fuse = inner, fuse

    async def handle_async_request(self, request):
        name = f"{request.method} {_UUID.sub('…', request.url.path)}"
        self._fuse.point(f"before {name}")
        response = await self._inner.handle_async_request(request)
        body = b"".join([piece async for piece in response.stream])
        await response.aclose()
        self._fuse.point(f"after {name}")
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(body)
        )


async def _at_once():
    pass


class TappedDatabase:
    def __init__(self, inner, fuse, before_claims):
        self._inner, self._fuse, self._before_claims = inner, fuse, before_claims

    async def __call__(self, *statements, **more):
        claims = statements[0][0].startswith(_CLAIMS)
        if claims:  # nothing has changed since the last point
            await self._before_claims()
        else:
            self._fuse.point("before a commit")
        rows = await self._inner(*statements, **more)
        if rows or not claims:
            self._fuse.point("after a claim" if claims else "after a commit")
        return rows

    def __getattr__(self, name):
        return getattr(self._inner, name)


def tap_store(store, fuse, before_claims=_at_once):
    """Put the fuse between every repository and the database."""
    tapped = TappedDatabase(store._db, fuse, before_claims)
    for repository in vars(store).values():
        for holder in (repository, *vars(repository).values()):
            if hasattr(holder, "_db"):
                holder._db = tapped


class Story:
    """Two parcels, and tracking that comes later; both sides survive the app's death."""

    def __init__(self, saleor=None, kustom=None):
        self.clock = Clock()
        self.kustom = kustom or SimulatedKustom(clock=self._now)
        self.saleor = saleor or SimulatedSaleor("http://saleor.test/graphql/")
        self.saleor.signer = SIGNER
        self.order = self.there = None
        self.steps = [self.ship_one, self.ship_rest, self.track]

    def _now(self):
        return datetime.fromtimestamp(self.clock.now, UTC)

    def world(self, url, **more):
        return open_world(
            url, saleor=self.saleor, kustom=self.kustom, clock=self.clock,
            rate_per_second=100.0, **more,
        )  # fmt: skip

    def begin(self):
        """Place the order."""
        self.order, self.there = World(self.saleor, self.kustom, None).order([MUGS])

    def ship_one(self):
        line = self.order["lines"][0]["id"]
        self.saleor.fulfill(self.order["id"], {line: 1}, tracking="SE1")

    def ship_rest(self):
        self.saleor.fulfill(self.order["id"])

    def track(self):
        self.saleor.update_tracking(self.order["fulfillments"][1]["id"], "SE2")

    async def play(self, world):
        while self.steps:
            self.steps.pop(0)()
            await world.settle()

    async def hours_pass(self, world):
        for _ in range(3):
            self.clock.pass_s(3600)
            await world.settle()

    @contextlib.contextmanager
    def without(self, guard):
        """Take one of the two guards away: Kustom's key, or the look by reference."""
        if guard == "no key":
            self.kustom.forget_keys()
        hidden = list(self.there.captures) if guard == "no look" else []
        references = [capture.reference for capture in hidden]
        refunds = list(self.there.refunds) if guard == "no look" else []
        named = [refund["reference"] for refund in refunds]
        for capture in hidden:
            capture.reference = "hidden"
        for refund in refunds:
            refund["reference"] = "hidden"
        yield
        for capture, reference in zip(hidden, references, strict=True):
            capture.reference = reference
        for refund, reference in zip(refunds, named, strict=True):
            refund["reference"] = reference

    def check(self, rows, died_at):
        """Each parcel captured once at Kustom, and Saleor told of it."""
        amounts = [capture.amount for capture in self.there.captures]
        assert amounts == [149_00, 200_00], died_at
        ids = [capture.capture_id for capture in self.there.captures]
        assert [row.capture_id for row in rows] == ids, died_at
        assert [str(row.state) for row in rows] == ["reported", "reported"], died_at
        tracking = [[e["tracking_number"] for e in c.shipping_info] for c in self.there.captures]
        assert tracking == [["SE1"], ["SE2"]], died_at
        [transaction] = self.order["transactions"]
        assert [event["pspReference"] for event in transaction["events"]] == ids, died_at
        written = [
            {pair["key"]: pair["value"] for pair in fulfillment["privateMetadata"]}
            for fulfillment in self.order["fulfillments"]
        ]
        assert [metadata.get("kustom.capture_id") for metadata in written] == ids, died_at
