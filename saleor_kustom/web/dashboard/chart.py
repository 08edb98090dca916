"""The last days as bars: numbers for an SVG, drawn by a template."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP = 720, 120, 4


@dataclass(frozen=True, slots=True)
class Column:
    """One bar, in the drawing's units. `at`: the day's begin in unix seconds."""

    x: float
    y: float
    width: float
    height: float
    minor: int
    at: int


def columns(by_day: Sequence[int], starts: Sequence[int]) -> Sequence[Column]:
    """Return a bar a day; a day with anything captured is never invisible."""
    highest = max((*by_day, 1))
    step = WIDTH / max(1, len(by_day))
    found = []
    for index, (minor, start) in enumerate(zip(by_day, starts, strict=True)):
        height = max(2.0, minor * HEIGHT / highest) if minor > 0 else 0.0
        x = round(index * step + GAP / 2, 2)
        found.append(
            Column(x, round(HEIGHT - height, 2), round(step - GAP, 2), round(height, 2), minor,
                   start * 3600)
        )  # fmt: skip
    return found
