"""How long a claim lasts, and the calls that are made under it (domain rule 17)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """Seconds. A dead instance's captures are taken over when their leases end."""

    lasts_s: float = 60.0
    call_s: float = 40.0  # a call's deadline
    second_call_s: float = 15.0  # that of another call in the same operation

    def __post_init__(self) -> None:
        if self.spare_s <= 0:
            raise ValueError("a lease must outlast the calls of an operation")

    @property
    def spare_s(self) -> float:
        """Return how old a lease may be when a call leaves, and still outlast it."""
        return self.lasts_s - self.call_s - self.second_call_s
