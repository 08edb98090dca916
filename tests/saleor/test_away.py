"""A Saleor that does not answer is asked by single probes, and holds up nobody but itself."""

import httpx
import pytest

from saleor_kustom.breaker import Breakers
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Unavailable
from saleor_kustom.saleor.client import SaleorClient
from tests.saleor.answering import Answering

HERE = Shop("https://here.example/graphql/", "QXBwOjE=", "T0kenT0kenT0kenT0kenT0kenT0ken")
THERE = Shop("https://there.example/graphql/", "QXBwOjE=", "T0kenT0kenT0kenT0kenT0kenT0ken")
OUTAGES = [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.Response(503)]


class Shops:
    """Two shops at one client, of which one may be away; and a clock."""

    def __init__(self):
        self.now = 1000.0
        self.away = None
        self.asked = Answering(self._answer)
        self.client = SaleorClient(self.asked.outbound(), Breakers(lambda: self.now))

    def _answer(self, request):
        away = self.away is not None and request.url.host == "here.example"
        return self.away if away else {"data": {"order": None}}

    async def code(self, shop=HERE):
        """Return why the shop could not be asked, or None, and how many calls that took."""
        before = len(self.asked.requests)
        try:
            await self.client.order(shop, "T3JkZXI6MQ==")
        except Unavailable as error:
            return error.code, len(self.asked.requests) - before
        return None, len(self.asked.requests) - before

    async def goes_away(self, outage):
        self.away = outage
        for _ in range(5):
            code, calls = await self.code()
            assert code != "SALEOR_AWAY"
            assert calls == 1


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: type(outage).__name__)
async def test_after_five_outages_it_is_left_alone_and_its_neighbour_is_not(outage):
    shops = Shops()
    await shops.goes_away(outage)
    assert [await shops.code() for _ in range(20)] == [("SALEOR_AWAY", 0)] * 20
    assert await shops.code(THERE) == (None, 1)


async def test_one_probe_at_a_time_ever_more_seldom_until_it_is_back():
    shops = Shops()
    await shops.goes_away(httpx.Response(502))
    for span_s in (2, 4, 8, 16, 32, 60, 60):
        shops.now += span_s - 0.1
        assert await shops.code() == ("SALEOR_AWAY", 0)
        shops.now += 0.1
        assert await shops.code() == ("SALEOR_BUSY", 1)  # the probe
        assert await shops.code() == ("SALEOR_AWAY", 0)
    shops.away = None
    shops.now += 60
    assert [await shops.code() for _ in range(3)] == [(None, 1)] * 3


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(429), httpx.Response(401), httpx.Response(404), {"errors": [{"message": "x"}]}],
    ids=["429", "401", "404", "errors"],
)
async def test_an_answer_that_makes_sense_is_no_outage(answer):
    shops = Shops()
    shops.away = answer
    for _ in range(20):
        code, calls = await shops.code()
        assert (code != "SALEOR_AWAY", calls > 0) == (True, True)


async def test_who_is_turned_away_is_told_when_to_come_back():
    shops = Shops()
    await shops.goes_away(httpx.Response(503))
    shops.now += 0.5
    with pytest.raises(Unavailable) as told:
        await shops.client.order(HERE, "T3JkZXI6MQ==")
    assert told.value.retry_after_s == pytest.approx(1.5)
