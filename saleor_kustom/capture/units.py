"""Units of an order line have indexes; ranges of them are what a plan spends (domain rule 8)."""

from collections.abc import Iterable

#: Half-open ranges, sorted and apart: ((0, 2), (4, 5)) are the units 0, 1 and 4.
Ranges = tuple[tuple[int, int], ...]


def count(ranges: Iterable[tuple[int, int]]) -> int:
    """Return how many units ranges hold."""
    return sum(stop - start for start, stop in ranges)


def union(*many: Iterable[tuple[int, int]]) -> Ranges:
    """Return all units of the given ranges, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(r for ranges in many for r in ranges if r[0] < r[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return tuple(joined)


def without(ranges: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> Ranges:
    """Return the units of `ranges` that are not in `taken`."""
    left: list[tuple[int, int]] = []
    spent = union(taken)
    for start, stop in union(ranges):
        at = start
        for taken_start, taken_stop in spent:
            if taken_stop <= at or taken_start >= stop:
                continue
            if taken_start > at:
                left.append((at, taken_start))
            at = taken_stop
        if at < stop:
            left.append((at, stop))
    return tuple(left)


def lowest(ranges: Iterable[tuple[int, int]], wanted: int) -> Ranges:
    """Return the lowest `wanted` units, or fewer when there are no more."""
    taken: list[tuple[int, int]] = []
    for start, stop in union(ranges):
        if wanted <= 0:
            break
        end = min(stop, start + wanted)
        taken.append((start, end))
        wanted -= end - start
    return tuple(taken)
