"""What the database itself refuses, so that a bug elsewhere can't double a capture."""

import re
from pathlib import Path

import pytest
from rows import BINDING, CREATED, SHOP, captured, claim, claim_one, receive, sql

from saleor_kustom import store as store_package
from saleor_kustom.capture.state import State
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Conflict


async def test_two_runs_on_one_line(store):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    await claim_one(store)
    with pytest.raises(Conflict):
        await sql(store, "update capture set worker = 'another' where fulfillment_id = 'F2'")


async def test_one_parcel_twice(store):
    await receive(store)
    with pytest.raises(Conflict):
        await sql(
            store,
            """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
               created_at, updated_at) values (:api_url, 'O1', 'F1', :created, 'x', 0, 0)""",
            api_url=SHOP,
            created=CREATED,
        )


async def test_one_delivery_twice(store):
    await receive(store)
    copy = """insert into delivery (id, api_url, event, body_sha256, body, received_at)
        select 'another', api_url, event, body_sha256, body, received_at from delivery"""
    with pytest.raises(Conflict):
        await sql(store, copy)


async def test_a_kustom_order_bound_twice(store):
    await receive(store)
    await store.captures.bind(await claim_one(store), BINDING, "test")
    copy = """insert into binding select api_url, 'O2', environment, merchant_id, kustom_order_id,
        how, bound_at, transaction_id from binding"""
    with pytest.raises(Conflict):
        await sql(store, copy)


async def test_a_capture_of_kustoms_for_two_parcels(store):
    await receive(store, "O1")
    await receive(store, "O2")
    first, second = await claim(store)
    await captured(store, first, "C1")
    with pytest.raises(Conflict):
        await captured(store, second, "C1")
    await captured(store, second, "C2")


@pytest.mark.parametrize("missing", ["plan", "idempotency_key"])
async def test_sending_without_plan_or_key_on_disk(store, missing):
    await receive(store)
    frozen = {"plan": "{}", "idempotency_key": "key"} | {missing: None}
    with pytest.raises(StoreUnavailable):
        await store.captures.save(await claim_one(store), what="x", state=State.SENDING, **frozen)


@pytest.mark.parametrize("state", [State.CAPTURED, State.REPORTED])
async def test_captured_without_a_capture_id(store, state):
    await receive(store)
    with pytest.raises(StoreUnavailable):
        await captured(store, await claim_one(store), None, state)


async def test_history_without_its_capture(store):
    orphan = """insert into history (api_url, capture_id, at, what, detail)
        values ('', 99, 0, '', '')"""
    with pytest.raises(StoreUnavailable):
        await sql(store, orphan)


#: What a run learns and decides. Whoever holds no lease may wake, hold or release a row, or erase
#: what is personal in one that rests; never one of these.
_OF_A_RUN = {
    "state", "idempotency_key", "amount_minor", "sent_first_at", "sent_last_at", "capture_id",
    "captured_at", "reported_at",
}  # fmt: skip


def test_no_statement_without_the_fence_writes_what_a_run_decides():
    """Every update of `capture` in the store's sources: fenced, or none of those columns."""
    folder = Path(store_package.__file__).parent
    texts = [path.read_text() for path in folder.glob("*.py")]
    updates = [
        update
        for text in texts
        for update in re.findall(r"update capture set.*?(?:\"\"\"|\"\n)", text, re.DOTALL)
    ]
    assert len(updates) >= 10
    fenced = [update for update in updates if "{FENCE}" in update]
    assert len([update for update in fenced if "{sets}" in update]) == 2
    for update in set(updates) - set(fenced):
        assert "{sets}" not in update, update
        written = set(re.findall(r"(\w+) = ", update.split("where")[0]))
        assert not written & _OF_A_RUN, update
