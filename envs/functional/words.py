"""The library's hash, splitmix64, on pairs of 32-bit words: for devices and libraries without 64-bit integers.

A number is a pair (high, low) of int32 arrays, taken as bits. It is `maps/randomness.py`, function by function, and
`tests/test_functional.py` holds both together. Signed words are used because every library has them; their sums and
products wrap around, and a shift to the right is followed by a mask.
"""

from typing import Final, TypeAlias

from ..maps.randomness import FACTORS, GAMMA
from .namespace import Array, namespace

Pair: TypeAlias = tuple[Array, Array]
"""(high, low) 32 bits each"""

_SIGN: Final = -(2**31)


def signed(word: int) -> int:
    """Return 32 bits as the int32 that has them."""
    word &= 0xFFFFFFFF
    return word - 2**32 if word >> 31 else word


def _halves(word: int) -> tuple[int, int]:
    return word >> 32 & 0xFFFFFFFF, word & 0xFFFFFFFF


def shifted(x: Array, by: int) -> Array:
    """Return 32 bits, shifted to the right by 1 to 31; zeros come in."""
    return (x >> by) & ((1 << 32 - by) - 1)


def high_product(x: Array, y: Array | int) -> Array:
    """Return the upper 32 bits of the product of 32-bit words; y may be an int."""
    x0, x1 = x & 0xFFFF, shifted(x, 16)
    y0, y1 = (y & 0xFFFF, y >> 16 & 0xFFFF) if isinstance(y, int) else (y & 0xFFFF, shifted(y, 16))
    low, cross, other = x0 * _word(y0), x0 * _word(y1), x1 * _word(y0)
    middle = shifted(low, 16) + (cross & 0xFFFF) + (other & 0xFFFF)
    return x1 * _word(y1) + shifted(cross, 16) + shifted(other, 16) + (middle >> 16)


def _word(y: Array | int) -> Array | int:
    return signed(y) if isinstance(y, int) else y


def times(x: Pair, factor: int) -> Pair:
    """Return x * factor."""
    (high, low), (factor_high, factor_low) = x, _halves(factor)
    upper = high_product(low, factor_low) + low * signed(factor_high) + high * signed(factor_low)
    return upper, low * signed(factor_low)


def plus(x: Pair, number: int) -> Pair:
    """Return x + number."""
    (high, low), (more_high, more_low) = x, _halves(number)
    xp = namespace(low)
    total = low + signed(more_low)
    carry = (total ^ _SIGN) < (signed(more_low) ^ _SIGN)  # as unsigned numbers
    return high + signed(more_high) + xp.astype(carry, xp.int32), total


def plus_pair(x: Pair, y: Pair) -> Pair:
    """Return x + y."""
    xp = namespace(x[1])
    total = x[1] + y[1]
    carry = (total ^ _SIGN) < (y[1] ^ _SIGN)
    return x[0] + y[0] + xp.astype(carry, xp.int32), total


def _xor_shifted(x: Pair, by: int) -> Pair:
    high, low = x
    return high ^ shifted(high, by), low ^ (shifted(low, by) | (high << 32 - by))


def mix(x: Pair) -> Pair:
    """Return the splitmix64 finaliser; see `randomness.mix`."""
    x = times(_xor_shifted(x, 30), FACTORS[0])
    x = times(_xor_shifted(x, 27), FACTORS[1])
    return _xor_shifted(x, 31)


def later(stream: Pair, counters: int) -> Pair:
    """Return the stream whose counter 0 is this one's counter `counters`."""
    return plus(stream, counters * GAMMA)


def bits(stream: Pair, counter: int) -> Pair:
    """Return the 64 random bits at one place of a stream."""
    return mix(later(stream, counter + 1))


def choice(random: Pair, n: Array | int) -> Array:
    """Return a number in 0..n-1 by multiply-shift, (lanes,) int32, from 64 random bits."""
    return high_product(random[0], n)


def below(random: Pair, limit: Pair) -> Array:
    """Return whether the upper 53 of 64 random bits are a number below a limit.

    Args:
        random: 64 random bits.
        limit: of numbers up to 2**53, the bits from the 26th up, and the lower 26; see `limit_words`.
    """
    high, low = random
    upper, lower = shifted(high, 5), ((high & 31) << 21) | shifted(low, 11)
    return (upper < limit[0]) | ((upper == limit[0]) & (lower < limit[1]))
