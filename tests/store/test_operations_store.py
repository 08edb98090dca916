"""Operations are made once, whoever asks how often; and answered once, whoever comes first."""

import asyncio
import dataclasses
from decimal import Decimal

import pytest
from rows import SHOP, body, claim_one, delivery, sql

from saleor_kustom.capture.operation import Kind, Request, Source
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.standing import Standing
from saleor_kustom.capture.state import State

BUTTON = Request(source=Source.BUTTON, amount=Decimal("10.00"), currency="SEK", transaction_id="T")
PERSON = Request(source=Source.PERSON, who="anna", why="because")
POLICY = Request(source=Source.POLICY)
PLAN = Plan(reference="r", amount_minor=10_00, base_minor=0, units={}, body="{}")


def requested(order="O1"):
    made = delivery(order, None, event="transaction_refund_requested", created=None)
    return dataclasses.replace(made, fulfillment_created=None)


async def receive_request(store, news="1", *, order="O1"):
    return await store.operations.receive(SHOP, requested(order), body(news), Kind.REFUND, BUTTON)


async def test_twenty_at_once_of_the_same_request_are_one_operation(store):
    rows = await asyncio.gather(*(receive_request(store) for _ in range(20)))
    assert len({row.id for row in rows}) == 1
    [row] = await store.captures.of_order(SHOP, "O1")
    assert (row.kind, row.request, row.state, row.by_button) == (
        Kind.REFUND, BUTTON, State.RECEIVED, True
    )  # fmt: skip
    assert row.fulfillment_created == "refund"
    other = await receive_request(store, "2")
    assert other.id != row.id


async def test_a_request_waits_behind_what_its_order_has_already(store):
    first = await receive_request(store, "1")
    second = await receive_request(store, "2")
    claimed = await store.captures.claim("w", 10, 60.0)
    assert [row.id for row in claimed] == [first.id]
    assert second.line == first.line


async def test_what_a_person_asks_twice_is_one_operation_and_both_are_kept(store):
    asked = [
        await store.operations.ask(SHOP, "O1", Kind.REFUND, ("F1", "refund"), PERSON)
        for _ in range(2)
    ]
    assert asked[0].id == asked[1].id
    history = await store.captures.history(SHOP, asked[0].id)
    assert [line["what"] for line in history] == ["asked", "asked"]


async def test_a_person_who_asks_again_has_it_decided_anew_and_a_policy_has_not(store):
    key = ("F1", "refund")
    await store.operations.ask(SHOP, "O1", Kind.REFUND, key, POLICY)
    row = await claim_one(store)
    await store.captures.save(
        row, what="held", keep=False, held="refunded_otherwise", held_detail={"a": "1"}
    )
    row = await store.operations.ask(SHOP, "O1", Kind.REFUND, key, POLICY)
    assert (row.held, row.due_at) == ("refunded_otherwise", None)
    row = await store.operations.ask(SHOP, "O1", Kind.REFUND, key, PERSON)
    assert (row.held, row.waiting, row.request) == (None, "asked_again", PERSON)
    assert row.due_at is not None


async def test_what_is_done_is_not_asked_again(store):
    key = ("F1", "refund")
    await store.operations.ask(SHOP, "O1", Kind.REFUND, key, PERSON)
    row = await claim_one(store)
    await confirmed(store, row)
    row = await store.operations.ask(SHOP, "O1", Kind.REFUND, key, PERSON)
    assert (row.state, row.due_at, row.waiting) == (State.REPORTED, None, None)
    history = await store.captures.history(SHOP, row.id)
    assert [line["what"] for line in history].count("asked") == 1


async def confirmed(store, row, state=State.REPORTED):
    standing = Standing(remaining_minor=1, captured_minor=2, refunded_minor=3, seen_at=4.0)
    return await store.captures.save(
        row, what="done", keep=False, state=state, plan=PLAN.model_dump_json(), capture_id="R-1",
        amount_minor=10_00, currency="SEK", captured_at=1_800_000_000.0, standing=standing,
    )  # fmt: skip


async def test_a_refund_is_not_counted_as_captured_money(store):
    await receive_request(store)
    await confirmed(store, await claim_one(store))
    assert await sql(store, "select * from captured_hour") == []
    [row] = await store.captures.of_order(SHOP, "O1")
    assert row.standing.captured_minor == 2


@pytest.mark.parametrize("first", ["result", "later"])
async def test_who_answers_first_decides(store, first):
    row = await receive_request(store)
    second = {"result": "later", "later": "result"}[first]
    assert (await store.operations.answer(row, first)).answer == first
    assert (await store.operations.answer(row, second)).answer == first


async def test_of_many_at_once_one_answers(store):
    row = await receive_request(store)
    said = await asyncio.gather(
        *(store.operations.answer(row, one) for one in ["result", "later"] * 10)
    )
    assert len({each.answer for each in said}) == 1


async def test_an_answer_delays_only_what_saleor_is_told(store, clock):
    row = await receive_request(store)
    answered = await store.operations.answer(row, "later")
    assert answered.due_at == row.due_at
    row = await claim_one(store)
    row = await store.captures.save(
        row, what="done", keep=False, due_in_s=12.0, state=State.CAPTURED,
        plan=PLAN.model_dump_json(), capture_id="R-1",
    )  # fmt: skip
    other = await receive_request(store, "2", order="O2")
    assert other.answer is None
    await sql(store, "update capture set answer = null where order_id = 'O1'")
    answered = await store.operations.answer(row, "result")
    assert answered.due_at == clock.now + 2.0


async def test_an_answer_reaches_a_run_that_has_not_seen_it(store):
    await receive_request(store)
    running = await claim_one(store)
    await store.operations.answer(running, "later")
    row = await store.captures.save(running, what="waits", keep=False, due_in_s=12.0)
    assert row.due_at <= row.updated_at


async def test_one_closing_is_open_at_a_time(store):
    with_fee = PERSON.model_copy(update={"fee_first": True})
    first = await store.operations.close(SHOP, "O1", with_fee)
    again = await store.operations.close(SHOP, "O1", PERSON)
    assert first.id == again.id
    rows = await store.captures.of_order(SHOP, "O1")
    assert [row.key for row in rows] == [("fee", "1"), ("close", "1")]
    await sql(store, "update capture set state = 'nothing'")
    second = await store.operations.close(SHOP, "O1", PERSON)
    assert second.key == ("close", "2")


async def test_closings_at_once_are_one(store):
    rows = await asyncio.gather(*(store.operations.close(SHOP, "O1", PERSON) for _ in range(10)))
    assert len({row.id for row in rows}) == 1


async def test_a_cancelled_order_asks_once_however_often_it_is_told(store):
    told = delivery("O1", None, event="order_cancelled", created=None)
    assert await store.operations.order_cancelled(SHOP, told, body("1"))
    assert not await store.operations.order_cancelled(SHOP, told, body("1"))
    assert await store.operations.order_cancelled(SHOP, told, body("2"))
    [row] = await store.captures.of_order(SHOP, "O1")
    assert (row.kind, row.key) == (Kind.CANCEL, ("order_cancelled", "cancel"))


async def test_a_row_is_of_a_known_kind_and_answer(store):
    await receive_request(store)
    for name in ("kind", "answer"):
        with pytest.raises(Exception, match=r"(?i)check|constraint"):
            await sql(store, f"update capture set {name} = 'odd'")  # noqa: S608 - ours
    row = await claim_one(store)
    with pytest.raises(ValueError, match="kind"):
        await store.captures.save(row, what="x", kind="charge")
