"""A loop without threads whose time passes only when nothing is left to do."""

import asyncio
import selectors


class StuckError(AssertionError):
    """Everybody waits, and nothing will ever happen."""


class _Selector(selectors.DefaultSelector):
    loop = None

    def select(self, timeout=None):
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise StuckError("everybody waits for ever")
        self.loop.passed_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio as it is, but hours take no time and what threads do is done at once.

    So with a seeded random generator every run of a seed is the same run.
    """

    def __init__(self):
        self.passed_s = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.passed_s

    def run_in_executor(self, _executor, function, *args):
        done = self.create_future()
        try:
            done.set_result(function(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits
            done.set_exception(error)
        return done


def run(main):
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
