"""Our documents are what Saleor 3.21, 3.22 and 3.23 accept: judged by their own schemas."""

from importlib.resources import files
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, OperationType, build_schema, parse, validate

from saleor_kustom.saleor.client import document
from tests.conftest import SHARED

VERSIONS = ("3.21", "3.22", "3.23")
QUERIES = Path(str(files("saleor_kustom.saleor") / "queries"))


def documents():
    """Every document as it is sent; `order.graphql` has a form of its own for newer versions."""
    found = {path.name: parse(path.read_text()) for path in QUERIES.glob("*.graphql")}
    return {**found, "order, newest": document("order", newest=True)}


@pytest.fixture(scope="module", params=VERSIONS)
def schema(request):
    path = SHARED / f"schema-{request.param}.graphql"
    if not path.exists():
        pytest.skip(f"Saleor's {request.param} schema is not beside this checkout")
    return request.param, build_schema(path.read_text(), assume_valid=True)


#: Documents for newer versions only; an older Saleor is never sent them.
SINCE = {
    "orders_where.graphql": "3.22",
    "problem_create.graphql": "3.22",
    "problem_dismiss.graphql": "3.22",
    "order, newest": "3.23",
}


# One test for all documents: a schema takes over a second to build, once in each process.
def test_saleor_accepts_every_document_of_ours(schema):
    version, schema = schema
    problems = {
        name: [error.message for error in validate(schema, document)]
        for name, document in documents().items()
        if SINCE.get(name, version) <= version
    }
    assert problems == {name: [] for name in problems}


def test_an_older_saleor_refuses_what_only_newer_ones_are_sent(schema):
    version, schema = schema
    refused = {name for name in SINCE if validate(schema, documents()[name])}
    assert refused == {name for name, since in SINCE.items() if since > version}


def test_there_are_documents():
    assert {"order.graphql", "report.graphql", "identify.graphql"} <= set(documents())


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_document_has_one_operation_of_at_most_four_mutations(name):
    [operation] = documents()[name].definitions
    assert isinstance(operation, OperationDefinitionNode)
    if operation.operation is OperationType.MUTATION:
        assert len(operation.selection_set.selections) <= 4


def test_the_event_report_comes_first():
    # Mutations run in their order, and one that fails does not stop those after it.
    [operation] = documents()["report.graphql"].definitions
    assert operation.selection_set.selections[0].alias.value == "event"
