"""Each part of the benchmark runs, and measures what it says: counts and shape, never times."""

import json

import psycopg
import pytest
from typer.testing import CliRunner

from saleor_kustom.bench import acknowledge, report
from saleor_kustom.bench.child import BenchmarkError, child
from saleor_kustom.bench.run import run
from saleor_kustom.cli import app
from saleor_kustom.errors import SettingsError, StoreUnavailable
from saleor_kustom.sandbox.signing import Signer

ENGINES = ["sqlite", "postgresql"]


def measured(part, database_url=None):
    said = []
    results = run(quick=True, only=[part], database_url=database_url, tell=said.append)
    assert said
    assert json.loads(json.dumps(results)) == results
    assert list(report.sections(results))
    return results


def test_every_delivery_is_answered_on_both_databases(own_cluster):
    """On a server of its own, where nothing else is made and dropped meanwhile."""
    rows = measured("acknowledge", own_cluster.url)["acknowledge"]
    assert [row["database"] for row in rows] == [engine for engine in ENGINES for _ in range(3)]
    assert {(row["bytes"], row["clients"]) for row in rows} == {
        ("own", 1),
        ("own", 20),
        (12_000, 20),
    }
    for row in rows:
        assert row["per_cpu_s"] > 0
        assert row["peer_per_cpu_s"] > 0
        assert row["of_peer"] > 0
        assert row["p50_ms"] <= row["p99_ms"]
        assert 0 < row["commits"] <= 1
    alone = [row for row in rows if row["clients"] == 1]
    assert [row["commits"] for row in alone] == [1.0, 1.0]
    with psycopg.connect(own_cluster.url) as connection:
        left = "select count(*) from pg_database where datname like 'kustom_bench_%'"
        assert connection.execute(left).fetchone() == (0,)


def test_a_capture_takes_four_requests_and_few_transactions():
    row = measured("capture")["capture"]
    assert (row["captures"], row["orders"], row["requests"]) == (100, 30, 4.0)
    # The delivery, plan and intent, Kustom's answer, Saleor's; a share of the claim and binding.
    assert 4.0 < row["transactions"] < 5.5
    assert 0 < row["commits"] <= row["transactions"]
    assert row["of_floor"] > 0
    assert row["cpu_ms"] > 0


def test_every_operation_is_measured_at_each_size(server):
    rows = measured("scale", server.url)["scale"]
    assert [(row["database"], row["rows"]) for row in rows] == [
        (engine, size) for engine in ENGINES for size in (1000, 5000)
    ]
    for row in rows:
        assert all(row[name] > 0 for name in report.OPERATIONS)


def test_plans_are_made_of_orders_of_each_size():
    rows = measured("mapping")["mapping"]
    assert [row["lines"] for row in rows] == [3, 50, 1000]
    assert all(row["us_per_line"] > 0 for row in rows)


def test_the_command_itself_is_started_and_answers():
    row = measured("start")["start"]
    assert row["first_ack_s"] > 0
    assert row["idle_mb"] > 10
    assert row["wheel_kb"] > 100
    assert row["dependencies"] > 15


def test_several_instances_capture_everything_once(server):
    rows = measured("instances", server.url)["instances"]
    assert [row["instances"] for row in rows] == [1, 2]
    assert rows[0]["of_one"] == 1.0


def test_without_postgresql_it_says_so_and_does_the_rest(tmp_path):
    output = tmp_path / "results.json"
    asked = ["bench", "--quick", "--only", "instances", "--only", "mapping", "--output", output]
    done = CliRunner().invoke(app, list(map(str, asked)))
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "Left out: PostgreSQL, since SALEOR_KUSTOM_BENCH_DATABASE_URL names no server" in said
    results = report.read(output)
    assert results["instances"] == []
    assert results["quick"] is True
    assert {"processor", "cores", "load_before", "python", "sqlite"} <= results["machine"].keys()


def test_a_server_that_is_not_there_is_told_in_one_line():
    url = "postgresql://nobody@127.0.0.1:1/postgres"
    with pytest.raises(StoreUnavailable, match="the benchmark's PostgreSQL: "):
        run(quick=True, only=["scale"], database_url=url, tell=lambda _: None)


def test_a_part_that_there_is_not_is_told():
    with pytest.raises(SettingsError, match="no part is called speed; there are: acknowledge, "):
        run(quick=True, only=["speed"], database_url=None, tell=lambda _: None)


def test_a_process_that_ends_too_early_is_told():
    with pytest.raises(BenchmarkError, match="load ended unexpectedly"), child("load"):
        pass


def test_a_figure_of_refused_deliveries_is_none():
    url = "http://shop.bench/graphql/"
    key = dict(Signer.new().key.as_dict(private=True))
    with (
        child("peer", api_url=url, jwks=Signer.new().jwks()) as peer,
        child("load", api_url=url, key=key) as load,
    ):
        load.ask(sign=[(1, 1), (2, 1)])
        with pytest.raises(BenchmarkError, match=r"peer answered \{'401': 2\}"):
            acknowledge._posted(load, peer, acknowledge._Case(0, 1, 2))
