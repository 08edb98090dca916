"""What a seed may do to the app: how often each thing goes wrong, and what that forbids."""

from dataclasses import dataclass, replace

#: Faults of both sides that need no person afterwards.
KUSTOM = (
    "lost request", "500 before", "503", "429", "409", "html 403", "hang",
    "lost answer", "500 after", "html 200", "truncated", "empty 200", "no capture id",
    "location only",
)  # fmt: skip
SALEOR = ("500", "502", "503", "429", "html", "empty", "not json", "hang", "lost answer")


@dataclass(frozen=True)
class Weather:
    """Chances per occasion (0 to 1), times in seconds."""

    kustom: float = 0.0  # a request to Kustom goes wrong
    saleor: float = 0.0
    database: float = 0.0  # a transaction is refused, or done and not answered
    delivery_lost: float = 0.0
    delivery_twice: float = 0.0
    slow: float = 0.0  # a request that takes longer than the app waits
    deaths: int = 0  # of an instance, at a random moment
    freezes: int = 0
    outages: int = 0  # of Kustom
    clock_jumps: int = 0  # of the database's clock
    restores: int = 0  # an older database is put back
    staging: bool = False  # a copy of the shop delivers with the same key
    outside: float = 0.0  # somebody captures by hand
    forgets_keys: bool = False  # Kustom honours none
    unauthorized: bool = False  # credentials are refused for a while
    changes: float = 0.3  # cancelled, returned, shipped again


CALM = Weather()


def weather(rng):
    """Return a seed's weather: mostly several things at once, sometimes one alone, or none."""
    kind = rng.random()
    if kind < 0.05:
        return CALM
    severity = rng.choice([0.02, 0.08, 0.2])
    chances = {
        name: severity * rng.random()
        for name in ("kustom", "saleor", "database", "delivery_lost", "delivery_twice")
        if rng.random() < 0.7
    }
    counts = {
        name: rng.randint(1, most)
        for name, most in (("deaths", 4), ("freezes", 2), ("outages", 2), ("clock_jumps", 3))
        if rng.random() < 0.5
    }
    made = Weather(
        **chances,
        **counts,
        slow=severity * rng.random() * 0.3,
        restores=int(rng.random() < 0.15),
        staging=rng.random() < 0.3,
        outside=0.05 if rng.random() < 0.2 else 0.0,
        unauthorized=rng.random() < 0.1,
        changes=rng.choice([0.0, 0.2, 0.6]),
    )
    if rng.random() < 0.2:
        return _key_forgetting(made)
    return made


def _key_forgetting(made):
    """Without keys only the look guards, which must come after the request has settled.

    So nothing here may send a request that arrives after its sender was given up.
    """
    return replace(
        made, forgets_keys=True, slow=0.0, freezes=0, clock_jumps=0, restores=made.restores
    )
