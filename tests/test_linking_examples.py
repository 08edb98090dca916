"""The examples of docs/linking.md run as written, against the sandbox over HTTP."""

import asyncio
import json
import re
import shutil
import sys
import uuid
from pathlib import Path

import pytest

from saleor_kustom.capture.linking import LinkRefusal
from saleor_kustom.capture.session import Code, Result
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.theatre import served

TEXT = (Path(__file__).parent.parent / "docs/linking.md").read_text()
MUGS = Line("Mug", "100.00", 3)


def example(language):
    [found] = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return found


class Checkout:
    """A checkout's server and storefront: programs of their own, beside the app."""

    def __init__(self, world, app_url, token, folder):
        self.world, self.folder = world, folder
        self.env = {
            "KUSTOM_APP_URL": app_url,
            "KUSTOM_LINK_TOKEN": token,
            "SALEOR_API_URL": world.saleor.api_url,
        }

    async def run(self, program, *arguments, **env):
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is not installed")
        running = await asyncio.create_subprocess_exec(
            path, *arguments, env=self.env | env, cwd=self.folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await running.communicate()
        return running.returncode, out.decode(), err.decode()

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def paid(self, amount=349_00):
        return self.world.kustom.add_order(str(uuid.uuid4()), amount).order_id


@pytest.fixture
async def checkout(sqlite_url, tmp_path):
    async with served(sqlite_url) as (world, addresses):
        token = await world.app.store.link_tokens.make(world.saleor.api_url)
        yield Checkout(world, addresses["App"], token, tmp_path)


async def by_curl(checkout, order_id, kustom_order_id):
    ids = {"ORDER_ID": order_id, "KUSTOM_ORDER_ID": kustom_order_id}
    return await checkout.run("bash", "-c", example("sh"), **ids)


async def by_python(checkout, order_id, kustom_order_id):
    call = f"print(json.dumps(link({order_id!r}, {kustom_order_id!r})))\n"
    path = checkout.write("link.py", example("python") + call)
    return await checkout.run(sys.executable, path)


async def by_fetch(checkout, order_id, kustom_order_id):
    call = f"link({order_id!r}, {kustom_order_id!r}).then((told) => "
    call += "console.log(JSON.stringify(told)), (error) => { throw error; });\n"
    without_types = example("ts").replace(": string", "")
    return await checkout.run("node", checkout.write("link.mjs", without_types + call))


@pytest.mark.parametrize("call", [by_curl, by_python, by_fetch])
async def test_a_checkouts_server_links_and_hears_why_not(checkout, call):
    order = checkout.world.saleor.add_order([MUGS])
    kustom_order_id = checkout.paid()
    code, out, err = await call(checkout, order["id"], kustom_order_id)
    assert (code, json.loads(out)["status"]) == (0, "linked"), err
    assert [t["pspReference"] for t in order["transactions"]] == [kustom_order_id]

    other = checkout.paid()
    code, out, err = await call(checkout, order["id"], other)
    assert code != 0
    assert f"belongs to the Kustom order {kustom_order_id} already" in out + err


def _paying(checkout, checkout_id, kustom_order_id):
    arguments = [checkout.world.saleor.api_url, checkout_id, kustom_order_id]
    call = f"payWithKustom(...{json.dumps(arguments)}).then((order) => "
    return call + "console.log(JSON.stringify(order)), (error) => { throw error; });\n"


async def pay(checkout, checkout_id, kustom_order_id):
    call = _paying(checkout, checkout_id, kustom_order_id)
    return await checkout.run("node", checkout.write("pay.mjs", example("js") + call))


async def test_a_storefront_pays_through_saleor_and_gets_its_order(checkout):
    saleor = checkout.world.saleor
    made = saleor.add_checkout([MUGS])
    kustom_order_id = checkout.paid()
    code, out, err = await pay(checkout, made["id"], kustom_order_id)
    assert code == 0, err
    order = saleor.orders[json.loads(out)["id"]]
    [transaction] = order["transactions"]
    assert transaction["pspReference"] == kustom_order_id
    assert transaction["authorizedAmount"]["amount"] == 349.00
    code, _, err = await pay(checkout, made["id"], kustom_order_id)
    assert code != 0
    assert "it may be an order by now" in err


async def test_a_storefront_may_repeat_what_saleor_heard_of(checkout):
    saleor = checkout.world.saleor
    made = saleor.add_checkout([MUGS])
    kustom_order_id = checkout.paid()
    text = example("js").replace("COMPLETE, {", "COMPLETE + 'broken', {")
    failing = checkout.write("failing.mjs", text + _paying(checkout, made["id"], kustom_order_id))
    code, _, _ = await checkout.run("node", failing)
    assert (code != 0, made["id"] in saleor.checkouts) == (True, True)
    code, out, err = await pay(checkout, made["id"], kustom_order_id)
    assert code == 0, err
    assert len(saleor.orders[json.loads(out)["id"]]["transactions"]) == 1


async def test_a_storefront_hears_why_it_is_refused(checkout):
    made = checkout.world.saleor.add_checkout([MUGS])
    code, _, err = await pay(checkout, made["id"], checkout.paid(amount=1_00))
    assert code != 0
    assert "over another amount than what is to be paid" in err
    assert "1.00" not in err
    assert made["id"] in checkout.world.saleor.checkouts


def test_every_answer_of_the_api_stands_in_the_table():
    for name in [*(reason.name for reason in LinkRefusal), *Code, *Result]:
        assert f"`{name}`" in TEXT, name
