"""The app itself as a process of the benchmark: edge, worker, or both, with its usual settings.

Other than `saleor-kustom serve` it may serve without working, so that answering is measured alone,
and its calls to Kustom are not limited to a rate, which would hide how fast it is. Logs are
written as in production, to a file.
"""

import contextlib
from typing import Any

from saleor_kustom.app import open_app
from saleor_kustom.bench.child import Talk, begin
from saleor_kustom.sandbox.theatre import working
from saleor_kustom.settings import Settings
from saleor_kustom.watch.logs import JSON, log_to_stderr
from saleor_kustom.web.listen import listening, make_room, settle


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Serve until nothing more is said; asked meanwhile, tell what the database has written."""
    settings = Settings(allow_private_hosts=True, rate_per_second=0.0, **given["settings"])
    with open(given["log"], "a", encoding="utf-8") as log:  # noqa: ASYNC230, PTH123 - before it serves
        log_to_stderr(settings.log_level, JSON, log)
        make_room()
        async with (
            open_app(settings) as app,
            listening(app.web, "127.0.0.1", 0) as address,
            working(app) if given["works"] else contextlib.nullcontext(),
        ):
            settle()
            talk.say(address=address)
            while await talk.heard() is not None:
                talk.say(
                    transactions=app.store.written.transactions, commits=app.store.written.commits
                )


if __name__ == "__main__":
    begin(main)
