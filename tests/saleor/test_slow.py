"""A Saleor that answers late is waited for until our own deadline, in virtual time."""

import asyncio

import httpx
import pytest

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Unavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from tests.simulation.clockwork import run

SHOP = Shop("https://shop.example/graphql/", "QXBwOjE=", "T0ken")


def order_after(answer_s):
    async def respond(_request):
        await asyncio.sleep(answer_s)
        return httpx.Response(200, json={"data": {"order": None}})

    outbound = Outbound(transport=httpx.MockTransport(respond), deadline_s=20.0)
    return SaleorClient(outbound).order(SHOP, "T3JkZXI6MQ==")


@pytest.mark.parametrize("answer_s", [0.1, 9.9, 10.1, 19.0])
def test_it_is_waited_for_as_long_as_we_say(answer_s):
    assert run(order_after(answer_s)) is None


@pytest.mark.parametrize("answer_s", [20.1, 90.0])
def test_later_than_that_is_unavailable(answer_s):
    with pytest.raises(Unavailable):
        run(order_after(answer_s))
