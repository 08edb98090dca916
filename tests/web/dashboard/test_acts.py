"""What buttons do, that the table is asked again, and that the history knows who it was."""

import pytest

from saleor_kustom.capture.state import State
from saleor_kustom.store import Scope


async def row_of(pages, row):
    return await pages.store.captures.get(pages.saleor.api_url, row.id)


async def history(pages, row):
    return await pages.store.captures.history(pages.saleor.api_url, row.id)


async def test_retry_lets_a_held_parcel_go_on_and_says_who_asked(pages):
    _, _, row = await pages.held()
    assert await pages.did("retry", {"capture": row.id, "act": "retry"}) == "Retrying"
    await pages.world.settle()
    assert (await row_of(pages, row)).state is State.REPORTED
    [line] = [line for line in await history(pages, row) if line["what"] == "resumed"]
    assert line["detail"]["who"] == "admin@example.com"


async def test_capture_now_does_not_wait_for_the_next_try(pages):
    pages.kustom.fail_next("503", 1)
    _, _, row = await pages.shipped(settle=False)
    await pages.world.app.worker.drain()
    assert (await row_of(pages, row)).due_at is not None
    pages.kustom.heal()
    assert await pages.did("retry", {"capture": row.id, "act": "capture_now"}) == "Trying now"
    assert "data-again" in await pages.html(f"capture/{row.id}")  # it is looked at again
    await pages.world.app.worker.drain()
    assert (await row_of(pages, row)).state is State.REPORTED
    assert "hastened" in [line["what"] for line in await history(pages, row)]


@pytest.mark.parametrize("act", ["retry", "release", "capture_now", "preview", "refund", None])
async def test_an_act_that_makes_no_sense_now_changes_nothing(pages, act):
    _, there, row = await pages.shipped()
    before = await row_of(pages, row)
    answer = await pages.post("retry", {"capture": row.id, "act": act})
    assert (answer.status_code, answer.json()["said"]["title"]) == (409, "Not possible now")
    assert await row_of(pages, row) == before
    assert len(there.captures) == 1


@pytest.mark.parametrize("capture", [0, -1, "1 or 1=1", None, 10**40, {}, "²"])
async def test_a_capture_that_is_none_is_not_found(pages, capture):
    answer = await pages.post("retry", {"capture": capture, "act": "retry"})
    assert answer.status_code == 404


async def test_look_again_reads_both_sides_again(pages):
    order, _, row = await pages.shipped()
    before = len(pages.saleor.requests)
    assert await pages.did("look-again", {"order": order["id"]}) == "Looking again"
    await pages.world.settle()
    assert len(pages.saleor.requests) > before
    assert (await row_of(pages, row)).state is State.REPORTED


async def test_a_pause_needs_a_reason_and_keeps_what_ships_from_being_captured(pages):
    answer = await pages.post("pause", {"scope": "shop", "why": "  "})
    assert (answer.status_code, answer.json()["said"]["title"]) == (400, "Say why")
    assert await pages.did("pause", {"scope": "shop", "why": "stocktaking"}) == "Paused"
    _, there, _ = await pages.shipped()
    assert there.captures == []
    [pause] = await pages.store.pauses.list(pages.saleor.api_url)
    assert (pause.scope, pause.who, pause.why) == (Scope.SHOP, "admin@example.com", "stocktaking")
    assert await pages.did("unpause", {"scope": "shop"}) == "Goes on"
    await pages.world.settle()
    assert len(there.captures) == 1
    answer = await pages.post("unpause", {"scope": "shop"})
    assert answer.status_code == 409


@pytest.mark.parametrize("scope", ["channel", "shop"])
async def test_pausing_more_than_an_order_needs_the_right_to_configure(pages, scope):
    body = {"scope": scope, "key": "se", "why": "x"}
    answer = await pages.post("pause", body, permissions=("MANAGE_ORDERS", "HANDLE_PAYMENTS"))
    assert answer.status_code == 403
    assert await pages.store.pauses.list(pages.saleor.api_url) == []


@pytest.mark.parametrize("body", [{"scope": "account", "key": "a", "why": "x"}, {"scope": "order"}])
async def test_what_can_not_be_paused_here_is_refused(pages, body):
    assert (await pages.post("pause", body)).status_code == 400


async def test_many_are_retried_portion_by_portion_each_once(pages):
    rows = [(await pages.held())[2] for _ in range(3)]
    body = {"reason": "refused_by_kustom", "until": 10**9}
    from saleor_kustom.web.dashboard import acts

    pages.monkeypatch.setattr(acts, "_PORTION", 2)
    first = (await pages.post("retry-all", body)).json()
    assert (first["done"], first["more"]) == (2, True)
    pages.kustom.fail_next("refused", 2, on="capture")  # held again: not retried in the same go
    await pages.world.settle()
    second = (await pages.post("retry-all", body | {"after": first["after"]})).json()
    assert (second["done"], second["more"]) == (1, False)
    await pages.world.settle()
    assert [(await row_of(pages, row)).held for row in rows] == ["refused_by_kustom"] * 2 + [None]


async def test_what_is_held_for_another_reason_or_came_later_is_left(pages):
    _, _, row = await pages.held()
    for body in (
        {"reason": "gift_card", "until": 10**9},
        {"reason": "refused_by_kustom", "until": row.id - 1},
        {"reason": "refused_by_kustom"},
    ):
        assert (await pages.post("retry-all", body)).json()["done"] == 0
    assert (await pages.post("retry-all", {"reason": "x"})).status_code == 400


async def observed(pages):
    await pages.did("mode", {"mode": "observe"})
    _, there, row = await pages.shipped()
    assert there.captures == []
    return there, row


async def test_what_was_observed_is_captured_together_after_its_sum_was_seen(pages):
    there, row = await observed(pages)
    await pages.did("mode", {"mode": "capture"})
    body = {"reason": "observed", "until": 10**9, "sums": {"SEK": 349_00}}
    assert (await pages.post("retry-all", body)).json()["done"] == 1
    await pages.world.settle()
    assert [capture.amount for capture in there.captures] == [349_00]
    assert (await row_of(pages, row)).state is State.REPORTED


@pytest.mark.parametrize("sums", [None, {}, {"SEK": 1}, {"SEK": "34900", "EUR": 1}, [349_00]])
async def test_another_sum_than_was_shown_captures_nothing(pages, sums):
    there, row = await observed(pages)
    await pages.did("mode", {"mode": "capture"})
    answer = await pages.post("retry-all", {"reason": "observed", "until": 10**9, "sums": sums})
    assert (answer.status_code, answer.json()["said"]["title"]) == (409, "The sum has changed")
    assert there.captures == []
    assert (await row_of(pages, row)).held == "observed"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"[" * 10_000, b'"x"', b"\xff"])
async def test_a_body_that_is_no_object_is_refused_in_words(pages, body):
    url = "http://app.test/app/acts/pause"
    answer = await pages.edge.client.post(url, content=body, headers=pages.headers())
    assert (answer.status_code, answer.json()["success"]) == (400, False)


async def test_a_body_that_is_too_large_is_not_read(pages):
    url = "http://app.test/app/acts/pause"
    body = b'{"why": "' + b"x" * 20_000 + b'"}'
    answer = await pages.edge.client.post(url, content=body, headers=pages.headers())
    assert answer.status_code == 413


async def test_a_held_parcel_is_said_to_be_settled_outside_and_captured_after_all(pages):
    _, there, row = await pages.held()
    assert 'data-act="settle"' in await pages.html("needs")
    answer = await pages.post("settle", {"capture": row.id, "why": " "})
    assert (answer.status_code, answer.json()["said"]["title"]) == (400, "Say why")
    body = {"capture": row.id, "why": "paid by invoice"}
    assert await pages.did("settle", body) == "Settled outside"
    assert "data-again" in await pages.html(f"capture/{row.id}")  # it is looked at again
    await pages.world.settle()
    row = await row_of(pages, row)
    assert (row.state, row.held) == (State.NOTHING, None)
    assert "Settled outside, as a person said." in await pages.html(f"capture/{row.id}")
    assert 'data-act="settle"' not in await pages.html("needs")
    assert (await pages.post("settle", body)).status_code == 409
    assert await pages.did("retry", {"capture": row.id, "act": "reopen"}) == "Capturing"
    await pages.world.settle()
    assert (await row_of(pages, row)).state is State.REPORTED
    assert len(there.captures) == 1
