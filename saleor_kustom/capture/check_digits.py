"""Check digits of tracking numbers: what tells a number from any other row of digits.

Each takes a compact number (upper case, no blanks) of the length and alphabet that its form in
carriers.toml has made sure of. Sources: carriers.toml, beside each form.
"""

from collections.abc import Callable, Iterable, Mapping

_SSCC = 18
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_FEDEX_WEIGHTS = (3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)


def s10(number: str) -> bool:
    """Check a postal item's number (UPU standard S10): two letters, nine digits, country."""
    rest = 11 - _weighed(number[2:10], _S10_WEIGHTS) % 11
    return int(number[10]) == {10: 0, 11: 5}.get(rest, rest)


def sscc(number: str) -> bool:
    """Check a serial shipping container code (GS1): 18 digits, or 20 with its prefix 00."""
    digits = number[-_SSCC:]
    total = _weighed(digits[:-1], (3, 1) * 9)
    return len(digits) == _SSCC and int(digits[-1]) == -total % 10


def ups(number: str) -> bool:
    """Check a UPS number: 1Z, fifteen digits or letters, and the check digit."""
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in number[2:17]]
    total = sum(value * (1 + index % 2) for index, value in enumerate(values))
    return number[17:] == str(-total % 10)


def mod7(number: str) -> bool:
    """Check a waybill (DHL Express): the last digit is what the others leave over from 7."""
    return int(number[:-1]) % 7 == int(number[-1])


def fedex(number: str) -> bool:
    """Check a FedEx number of twelve digits."""
    return _weighed(number[:11], _FEDEX_WEIGHTS) % 11 % 10 == int(number[11])


def _weighed(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


#: By the name that carriers.toml has for each.
CHECKS: Mapping[str, Callable[[str], bool]] = {
    "s10": s10,
    "sscc": sscc,
    "ups": ups,
    "mod7": mod7,
    "fedex": fedex,
}
