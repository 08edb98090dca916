"""The simulated Saleor's GraphQL: limits, permissions, and what each version knows."""

import httpx
import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line, global_id
from tests.sandbox.an_app import ask, installed, manifest, webhook

LINES = [Line("Mug", "100.00")]
WRITE = """updatePrivateMetadata(id: "{id}", input: [{{key: "a{n}", value: "1"}}]) {{
  errors {{ field code }} }}"""
TO_CAPTURE = """query($where: OrderWhereInput) { orders(first: 100, where: $where) {
  edges { node { number } } } }"""


@pytest.fixture
async def saleor():
    found, _ = await installed()
    return found


def writes(item_id, count):
    fields = " ".join(f"m{n}: {WRITE.format(id=item_id, n=n)}" for n in range(count))
    return f"mutation {{ {fields} }}"


def keys(item):
    return [pair["key"] for pair in item["privateMetadata"]]


# --- requests


async def test_four_mutations_are_taken_and_five_are_not(saleor):
    order = saleor.add_order(LINES)
    await ask(saleor, writes(order["id"], 4))
    assert keys(order) == ["a0", "a1", "a2", "a3"]
    answer = await ask(saleor, writes(order["id"], 5), whole=True)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "Number of mutations exceed the limit of 4"
    assert "a4" not in keys(order)


async def test_a_mutation_that_is_left_out_counts_too(saleor):
    order = saleor.add_order(LINES)
    fields = " ".join(
        f"m{n}: {WRITE.format(id=order['id'], n=n)}".replace(") {", ") @include(if: $no) {")
        for n in range(5)
    )
    answer = await ask(saleor, f"mutation($no: Boolean = false) {{ {fields} }}", whole=True)
    assert answer.status_code == 400


async def test_a_failing_mutation_does_not_stop_the_next(saleor):
    order = saleor.add_order(LINES)
    unknown = global_id("Fulfillment", 77)
    first, second = WRITE.format(id=unknown, n=1), WRITE.format(id=order["id"], n=2)
    data = await ask(saleor, f"mutation {{ a: {first} b: {second} }}")
    assert data["a"]["errors"] == [{"field": "id", "code": "NOT_FOUND"}]
    assert data["b"]["errors"] == []
    assert keys(order) == ["a2"]


@pytest.mark.parametrize(
    "query", ["{ nonsense }", "{ shop {", "", "query Q { shop { version } } fragment F on App {id}"]
)
async def test_a_query_that_is_none_is_a_bad_request(saleor, query):
    answer = await ask(saleor, query, whole=True)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert "data" not in answer.json()


@pytest.mark.parametrize("body", [b"[", b"[{}, {}]", b"5", b'{"query": 5}'])
async def test_a_body_that_is_no_request_is_a_bad_one(saleor, body):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(saleor.app)) as client:
        assert (await client.post(saleor.api_url, content=body)).status_code == 400


@pytest.mark.parametrize("amount", ["-1", "much", "NaN"])
async def test_an_amount_that_is_none_is_a_bad_request(saleor, amount):
    query = """mutation($amount: PositiveDecimal) { transactionEventReport(
      type: INFO, pspReference: "a", amount: $amount) { alreadyProcessed } }"""
    assert (await ask(saleor, query, {"amount": amount}, whole=True)).status_code == 400


@pytest.mark.parametrize("item_id", ["nonsense", "", "QXBw"])
async def test_an_id_that_is_none_is_said_so(saleor, item_id):
    data = await ask(saleor, f"mutation {{ a: {WRITE.format(id=item_id, n=1)} }}")
    assert data["a"]["errors"] == [{"field": "id", "code": "GRAPHQL_ERROR"}]


async def test_an_empty_metadata_key_is_refused(saleor):
    order = saleor.add_order(LINES)
    query = f'mutation {{ updateMetadata(id: "{order["id"]}", input: [{{key: " ", value: ""}}])'
    data = await ask(saleor, query + " { errors { code } } }")
    assert data["updateMetadata"]["errors"] == [{"code": "REQUIRED"}]


# --- who asks


async def test_a_token_of_nobody_is_told_that_it_lacks_permission(saleor):
    answer = await ask(saleor, "{ app { id } }", token="nobody", whole=True)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"app": None}
    [error] = answer.json()["errors"]
    assert error["extensions"]["exception"]["code"] == "PermissionDenied"


async def test_an_app_knows_itself_and_no_other(saleor):
    own = saleor.installed.app["id"]
    query = "{ app { id identifier isActive permissions { code } } }"
    assert await ask(saleor, query) == {
        "app": {
            "id": own,
            "identifier": "listener",
            "isActive": True,
            "permissions": [{"code": "HANDLE_PAYMENTS"}, {"code": "MANAGE_ORDERS"}],
        }
    }
    other = await ask(saleor, f'{{ app(id: "{global_id("App", 99)}") {{ id }} }}', whole=True)
    assert "MANAGE_APPS" in other.json()["errors"][0]["message"]


async def test_a_field_that_may_not_be_read_pulls_its_order_down():
    saleor, _ = await installed(made=manifest(permissions=["MANAGE_ORDERS"]))
    order = saleor.add_order(LINES, psp_reference="K-1")
    private = "number transactions { privateMetadata { key } }"
    query = f'{{ order(id: "{order["id"]}") {{ {private} }} }}'
    answer = await ask(saleor, query, whole=True)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"order": None}


async def test_a_delivery_with_a_field_that_may_not_be_read_comes_with_errors():
    query = """subscription { event { __typename ... on FulfillmentCreated {
      order { id transactions { privateMetadata { key } } } } } }"""
    hook = webhook("FULFILLMENT_CREATED", query=query)
    saleor, app = await installed(made=manifest(webhooks=[hook], permissions=["MANAGE_ORDERS"]))
    order = saleor.add_order(LINES, psp_reference="K-1")
    saleor.fulfill(order["id"])
    await saleor.deliver()
    [body] = app.bodies
    assert body["order"] is None
    assert body["errors"][0]["extensions"]["exception"]["code"] == "PermissionDenied"


async def test_a_permission_that_is_taken_away_is_missed_at_once(saleor):
    order = saleor.add_order(LINES)
    query = f'{{ order(id: "{order["id"]}") {{ privateMetadata {{ key }} }} }}'
    assert (await ask(saleor, query))["order"] == {"privateMetadata": []}
    saleor.denied.add("MANAGE_ORDERS")
    assert (await ask(saleor, query, whole=True)).json()["data"] == {"order": None}


# --- orders


async def numbers(saleor, query=TO_CAPTURE, **where):
    data = await ask(saleor, query, {"where": where})
    return [edge["node"]["number"] for edge in data["orders"]["edges"]]


async def test_orders_that_reconciliation_asks_for_are_found(saleor):
    for _ in range(3):
        saleor.add_order(LINES, psp_reference="K")
    shipped, paid, _ = saleor.orders.values()
    for order in (shipped, paid):
        saleor.fulfill(order["id"])
    paid["chargeStatus"] = "FULL"
    where = {
        "chargeStatus": {"oneOf": ["NONE", "PARTIAL"]},
        "authorizeStatus": {"oneOf": ["FULL", "PARTIAL"]},
        "hasFulfillments": True,
    }
    assert await numbers(saleor, **where) == [shipped["number"]]
    assert await numbers(saleor) == ["3", "2", "1"]
    assert await numbers(saleor, chargeStatus={"eq": "FULL"}) == [paid["number"]]
    assert await numbers(saleor, createdAt={"gte": "2999-01-01T00:00:00+00:00"}) == []
    assert await numbers(saleor, createdAt={"lte": "2999-01-01T00:00:00+00:00"}) == ["3", "2", "1"]


async def test_3_21_knows_only_the_older_filter():
    saleor, _ = await installed("3.21.69")
    order = saleor.add_order(LINES, psp_reference="K")
    assert (await ask(saleor, TO_CAPTURE, whole=True)).status_code == 400
    older = TO_CAPTURE.replace("OrderWhereInput", "OrderFilterInput")
    older = older.replace(", where:", ", filter:")
    wanted = {"chargeStatus": ["NONE"], "created": {"gte": order["created"][:10]}}
    assert await numbers(saleor, older, **wanted) == [order["number"]]
    assert await numbers(saleor, older, created={"gte": "2999-01-01"}) == []
    assert await numbers(saleor, older, authorizeStatus=["NONE"]) == []


async def test_orders_come_in_pages(saleor):
    for _ in range(5):
        saleor.add_order(LINES)
    query = """query($after: String) { orders(first: 2, after: $after) { totalCount
      pageInfo { hasNextPage endCursor } edges { node { number } } } }"""
    seen, after, pages = [], None, 0
    while pages < 9:
        page = (await ask(saleor, query, {"after": after}))["orders"]
        seen += [edge["node"]["number"] for edge in page["edges"]]
        after, pages = page["pageInfo"]["endCursor"], pages + 1
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert (pages, seen, page["totalCount"]) == (3, ["5", "4", "3", "2", "1"], 5)


@pytest.mark.parametrize("given", ["", "(first: 101)", '(first: 1, after: "x")'])
async def test_a_page_must_be_asked_for_rightly(saleor, given):
    answer = await ask(saleor, f"{{ orders{given} {{ totalCount }} }}", whole=True)
    assert answer.json()["data"] == {"orders": None}


async def test_a_shop_tells_its_version_and_how_it_ships(saleor):
    saleor.allow_unpaid = False
    query = "{ shop { version schemaVersion fulfillmentAllowUnpaid fulfillmentAutoApprove } }"
    assert (await ask(saleor, query))["shop"] == {
        "version": "3.22.67",
        "schemaVersion": "3.22",
        "fulfillmentAllowUnpaid": False,
        "fulfillmentAutoApprove": True,
    }


async def test_a_note_is_added_and_told(saleor):
    order = saleor.add_order(LINES)
    query = "mutation($o: ID!, $m: String!) { orderNoteAdd(order: $o, input: {message: $m}) \
      { errors { code } } }"
    await ask(saleor, query, {"o": order["id"], "m": "Captured"})
    assert order["notes"] == ["Captured"]
    assert saleor.fired[-1][0] == "order_updated"
    empty = await ask(saleor, query, {"o": order["id"], "m": " "})
    assert empty["orderNoteAdd"]["errors"] == [{"code": "REQUIRED"}]


# --- problems of an app


PROBLEM = """mutation($input: AppProblemCreateInput!) { appProblemCreate(input: $input) {
  errors { field code } appProblem { key count isCritical message } } }"""
DISMISS = """mutation($keys: [String!]) { appProblemDismiss(input: {byApp: {keys: $keys}}) {
  errors { code } } }"""


async def problem(saleor, **given):
    wanted = {"key": "kustom-auth", "message": "Unauthorized"} | given
    return (await ask(saleor, PROBLEM, {"input": wanted}))["appProblemCreate"]


async def test_a_problem_is_counted_until_it_is_dismissed(saleor):
    await problem(saleor)
    again = (await problem(saleor, criticalThreshold=2))["appProblem"]
    assert (again["count"], again["isCritical"]) == (2, True)
    listed = "{ app { problems { count dismissed { by } } } }"
    stands = {"count": 2, "dismissed": None}
    assert (await ask(saleor, listed))["app"]["problems"] == [stands]
    await ask(saleor, DISMISS, {"keys": ["kustom-auth"]})
    solved = {"count": 2, "dismissed": {"by": "APP"}}
    assert (await ask(saleor, listed))["app"]["problems"] == [solved]
    assert (await problem(saleor))["appProblem"]["count"] == 1
    anew = {"count": 1, "dismissed": None}
    assert (await ask(saleor, listed))["app"]["problems"] == [anew, solved]


@pytest.mark.parametrize("given", [{"key": "k"}, {"key": "k" * 129}, {"message": "no"}])
async def test_a_problem_has_limits(saleor, given):
    [error] = (await problem(saleor, **given))["errors"]
    assert error == {"field": next(iter(given)), "code": "INVALID"}


async def test_nothing_to_dismiss_is_said_so(saleor):
    answer = await ask(saleor, DISMISS, {"keys": []})
    assert answer["appProblemDismiss"]["errors"] == [{"code": "REQUIRED"}]


async def test_problems_are_unknown_to_3_21():
    saleor, _ = await installed("3.21.69")
    assert (await ask(saleor, PROBLEM, whole=True)).status_code == 400


# --- faults, by name


FAULTS = [("500", 500), ("502", 502), ("503", 503), ("429", 429), ("html", 200), ("empty", 200),
          ("not json", 200), ("hang", 504), ("lost answer", 502)]  # fmt: skip


@pytest.mark.parametrize(("fault", "status"), FAULTS)
async def test_a_fault_comes_once_for_either_endpoint(saleor, fault, status):
    saleor.hang_s = 0.0
    saleor.fail_next(fault)
    saleor.fail_next(fault, on="jwks")
    keys_url = "http://saleor.test/.well-known/jwks.json"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(saleor.app)) as client:
        first = await ask(saleor, "{ shop { version } }", whole=True)
        assert first.status_code == status
        assert "data" not in first.text
        assert (await ask(saleor, "{ shop { version } }"))["shop"]["version"]
        first = await client.get(keys_url)
        assert "keys" not in first.text
        assert (await client.get(keys_url)).json()["keys"]


async def test_a_lost_answer_was_given(saleor):
    order = saleor.add_order(LINES)
    saleor.fail_next("lost answer")
    await ask(saleor, writes(order["id"], 1), whole=True)
    assert keys(order) == ["a0"]


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="none of"):
        SimulatedSaleor().fail_next("weather")
