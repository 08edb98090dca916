"""The operating system lets a real `serve` write no more, or has its file read-only."""

import asyncio
import os
import resource
import subprocess
import sys

import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import World
from saleor_kustom.store import Store
from tests.databases import SECRET_KEY
from tests.processes.running import Process, Sandbox, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")


@pytest.fixture
async def sandbox():
    async with Sandbox().served() as sandbox:
        yield sandbox


@pytest.fixture
async def store(memory_path):
    store = await Store.open(f"sqlite:///{memory_path}/app.db", secret_key=SECRET_KEY)
    yield store
    await store.close()


async def test_serve_goes_on_when_its_files_may_grow_again(store, sandbox, memory_path, tmp_path):
    process = Process(f"sqlite:///{memory_path}/app.db", sandbox, tmp_path / "log")
    await process.start()
    try:
        await sandbox.install(store, process.url)
        world = World(sandbox.saleor, sandbox.kustom, None)
        placed = []

        async def ship():
            placed.append(world.order([Line("Mug", "100.00")]))
            sandbox.saleor.fulfill(placed[-1][0]["id"])
            await sandbox.saleor.deliver(pause_s=0.0)

        for _ in range(3):
            await ship()
        largest = max(file.stat().st_size for file in memory_path.iterdir())
        limit_files(process.pid, largest + 50_000)
        while len(sandbox.saleor.failed) < 3:
            await ship()
            assert len(placed) < 300
        assert {delivery.status for delivery in sandbox.saleor.failed} == {503}
        assert "could not take a delivery of fulfillment_created now: SQLite" in process.logged
        assert "disk I/O error" in process.logged

        limit_files(process.pid, resource.RLIM_INFINITY)
        await store._db(  # so that no run whose last write failed is waited for
            ("update capture set due_at = due_at - 60 where worker is not null", {})
        )
        sandbox.saleor.retry_failed()

        async def all_captured():
            await sandbox.saleor.deliver(pause_s=0.0)
            return all(there.captures for _, there in placed)

        await until(all_captured)
        assert [len(there.captures) for _, there in placed] == [1] * len(placed)
        assert process.alive
        assert "Traceback" not in process.logged
    finally:
        await process.stop()


def limit_files(pid, most):
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@pytest.mark.parametrize("what", ["file", "folder"])
async def test_what_is_read_only_stops_the_start_with_one_line(store, sandbox, memory_path, what):
    await store.close()
    process = Process(f"sqlite:///{memory_path}/app.db", sandbox, memory_path / "log")
    path = {"file": memory_path / "app.db", "folder": memory_path}[what]
    before = path.stat().st_mode
    path.chmod(before & 0o555)
    try:
        done = await asyncio.to_thread(
            subprocess.run,
            [*as_others(), sys.executable, "-m", "saleor_kustom", *process.arguments],
            env=process.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        path.chmod(before)
    assert done.returncode == 2
    assert done.stderr.endswith(f"no permission to write {path}\n")
    assert done.stderr.count("\n") == 1


def as_others():
    """Return what makes root obey permissions, as everybody else does."""
    return ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
