"""Every error that crosses a border of ours, in one tree.

    SaleorKustomError
    ├── SettingsError            a setting is missing or wrong; the program does not start
    ├── BadPolicy                a merchant's choice is unknown or wrong; nothing was changed
    ├── NotGenuine               a delivery, token or installation that we do not believe
    ├── KeysUnavailable          a shop's public keys can't be had now: say 503, ask again
    ├── StoreUnavailable         our own database can't store: say 503, lose nothing
    ├── IllegalTransition        a bug: an event that the state table does not allow
    └── CallError                a call to Kustom or Saleor did not succeed; three verdicts:
        ├── Refused              asking again changes nothing
        ├── Unavailable          it did not happen; ask later
        └── OutcomeUnknown       it may have happened; look before sending again

No library's exception passes a client of ours; tests enumerate them.
"""

from collections.abc import Sequence


class SaleorKustomError(Exception):
    """Base of all errors that this package raises on purpose."""


class SettingsError(SaleorKustomError):
    """One line: the variable's name, what is wrong with its value, and a right example."""


class BadPolicy(SaleorKustomError):  # noqa: N818 - a verdict on what was asked for
    """One line for each fault: the key, what is wrong with its value, and a right example."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class NotGenuine(SaleorKustomError):  # noqa: N818 - a verdict, as the three below
    """Somebody sent something that we do not believe. `code` is for the log and the answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class KeysUnavailable(SaleorKustomError):  # noqa: N818
    """The shop's public keys could not be fetched now."""


class StoreUnavailable(SaleorKustomError):  # noqa: N818
    """The database did not store or answer; after a deadline it is not known whether it did.

    So what is asked of it must be safe to ask again.
    """


class IllegalTransition(SaleorKustomError):  # noqa: N818
    """An event came in a state that knows no such event. Nothing was changed."""


class CallError(SaleorKustomError):
    """A call to Kustom or Saleor did not succeed.

    `status` is the HTTP status (None: no answer), `code` the other side's error code or ours
    (upper snake case), `messages` its words, `correlation_id` what its support asks for.
    """

    def __init__(
        self,
        code: str,
        messages: tuple[str, ...] = (),
        *,
        status: int | None = None,
        correlation_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(": ".join(filter(None, (code, "; ".join(messages)))))
        self.code = code
        self.messages = messages
        self.status = status
        self.correlation_id = correlation_id
        self.retry_after_s = retry_after_s


class Refused(CallError):  # noqa: N818
    """The other side understood and said no. Asking again changes nothing."""


class Unavailable(CallError):  # noqa: N818
    """It did not happen, and may later: busy, rate-limited, unreachable, wrong credentials."""


class OutcomeUnknown(CallError):  # noqa: N818
    """No answer, or one that makes no sense: it may have happened. Look before sending again."""
