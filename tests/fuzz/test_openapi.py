"""The description of the JSON endpoints is whole, and schemathesis finds no answer outside it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.web.listen import listening
from tests.web.edge import open_edge
from tests.web.routes import every_route

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.json"
EVERYTHING = ["MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS"]
#: Routes that answer with HTML, text or files.
NOT_JSON = (
    *("/app", "/app/", "/app/order", "/app/export.csv", "/static/{name:path}"),
    "/app/acts/policy-preview",
)
NOT_JSON_BELOW = "/app/pages/"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


@pytest.fixture
async def edge(sqlite_url):
    async with open_edge(sqlite_url) as edge:
        await edge.world.install()
        for _ in range(3):
            order, there = edge.world.order([Line("Mug", "100.00")])
            there.amount = 1_00  # held, so that acts have something to act on
            edge.saleor.fulfill(order["id"])
        await edge.world.settle()
        yield edge


def described():
    paths = json.loads(DESCRIPTION.read_text())["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


async def test_every_json_endpoint_is_described_and_no_other(edge):
    found = {
        (route.method, route.path.replace(":int", "").replace(":path", ""))
        for route in every_route(edge.world.app.web)
        if route.path not in NOT_JSON and not route.path.startswith(NOT_JSON_BELOW)
    }
    assert found == described()


@pytest.mark.parametrize(
    "examples", [10, pytest.param(1000, marks=pytest.mark.long)], ids=["few", "many"]
)
async def test_schemathesis_finds_no_answer_that_is_not_described(edge, examples, tmp_path):
    program = Path(sys.executable).parent / "schemathesis"
    assert program.exists(), "schemathesis is not installed: run make setup"
    token = edge.saleor.dashboard_token(EVERYTHING)
    link = await edge.store.link_tokens.make(edge.api_url)
    async with listening(edge.world.app.web, "127.0.0.1", 0) as address:
        process = await asyncio.create_subprocess_exec(
            str(program), "run", str(DESCRIPTION), "--url", address,
            "--header", f"saleor-api-url: {edge.api_url}",
            "--header", f"authorization-bearer: {token}",
            "--header", f"Authorization: Bearer {link}",
            "--checks", CHECKS, "--max-examples", str(examples), "--mode", "all",
            "--phases", "examples,coverage,fuzzing", "--seed", "1",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
        )  # fmt: skip
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-6000:]
