"""Processes of the benchmark: each is told by lines of JSON what to do, and answers with such."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvloop

from saleor_kustom.bench import machine
from saleor_kustom.errors import SaleorKustomError

_ENDS_WITHIN_S = 15.0


class BenchmarkError(SaleorKustomError):
    """What was measured is not what was asked for, so its figures would mean nothing."""


class Child:
    """The parent's side of one process."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"saleor_kustom.bench.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={},  # an operator's own settings are none of ours
        )
        self.pid = self._process.pid
        self.told: dict[str, Any] = {}  # what it said first

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Send a line and return the answer to it. Raises BenchmarkError."""
        self.tell(**asked)
        return self.heard()

    def tell(self, **asked: Any) -> None:
        """Send a line. Raises BenchmarkError."""
        pipe = self._process.stdin
        if pipe is None:
            raise BenchmarkError(self.module)
        with contextlib.suppress(BrokenPipeError):
            pipe.write(json.dumps(asked) + "\n")
            pipe.flush()

    def heard(self) -> dict[str, Any]:
        """Wait for a line. Raises BenchmarkError."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise BenchmarkError(f"the benchmark's process {self.module} ended unexpectedly")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def cpu_s(self) -> float:
        """Return the CPU-seconds that it has taken."""
        return machine.cpu_s(self.pid)

    def memory_mb(self, *, peak: bool = False) -> float:
        """Return its resident memory, now or at most so far."""
        return machine.memory_mb(self.pid, peak=peak)

    def end(self) -> None:
        """Tell it that nothing more comes, and wait for its end."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@contextlib.contextmanager
def child(module: str, **given: Any) -> Iterator[Child]:
    """Run a module of this package as a process during the block; `given` is its first line."""
    made = Child(module)
    try:
        made.told = made.ask(**given)
        yield made
    finally:
        made.end()


class Talk:
    """The child's side: what it hears and says."""

    async def heard(self) -> dict[str, Any] | None:
        """Return the next line, or None: nothing more comes."""
        line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        return json.loads(line) if line else None

    def say(self, **said: Any) -> None:
        """Answer."""
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def begin(main: Callable[[dict[str, Any], Talk], Awaitable[None]]) -> None:
    """Run a child: `main` is given its first line and the talk."""

    async def run() -> None:
        talk = Talk()
        given = await talk.heard()
        if given is not None:
            await main(given, talk)

    uvloop.run(run())
