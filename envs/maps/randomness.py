"""Whatever is random is a hash of (key, episode, counter): the same for one lane and for a million.

The hash is splitmix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): an
episode is the splitmix64 stream whose seed is a hash of the key and the episode's number, and a counter is a
place in that stream. Every function takes Python ints or uint64 arrays, and gives the same values for both.
"""

from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .arguments import whole

Bits: TypeAlias = Any  # an int, or a uint64 array: the operators are the same

MASK: Final = 2**64 - 1
GAMMA: Final = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, made odd
FACTORS: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_INVERSE: Final = tuple(pow(factor, -1, 2**64) for factor in FACTORS)

SIGHT: Final = 0xD1B54A32D192ED03  # any odd number that is not GAMMA

# what the first counters of an episode are for; step t draws at STEPS + t
MAZE, START, STEPS = range(3)


def mix(x: Bits) -> Bits:
    """Return the splitmix64 finaliser of 64-bit `x`: a bijection that flips each output bit half of the time."""
    x = _wrapped((x ^ (x >> 30)) * FACTORS[0])
    x ^= x >> 27
    x *= FACTORS[1]
    x = _wrapped(x)
    x ^= x >> 31
    return x


def _wrapped(x: Bits) -> Bits:
    return x & MASK if isinstance(x, int) else x  # arrays wrap around by themselves


def checked_seed(seed: Any) -> int:
    """Return a seed as an int: any integer from 0 to 2**64 - 1, of Python or numpy; True and False are not integers.

    Raises:
        TypeError: the seed is not an integer.
        ValueError: the seed is negative or has more than 64 bits.
    """
    return whole("seed", seed, 0, MASK)


def key_from_seed(seed: Bits) -> Bits:
    """Return the key of a lane that was seeded with `seed`.

    Raises:
        ValueError: a seed is negative or has more than 64 bits.
    """
    return mix(_wrapped(seed + GAMMA))


def seed_from_key(key: Bits) -> Bits:
    """Return the seed of which `key_from_seed` makes this key."""
    for shift, factor in ((31, _INVERSE[1]), (27, _INVERSE[0]), (30, 1)):
        key = _wrapped((key ^ (key >> shift) ^ (key >> 2 * shift)) * factor)
    return _wrapped(key - GAMMA)


def stream(key: Bits, episode: Bits) -> Bits:
    """Return the stream from which one episode of the lane with this key draws."""
    return mix(_wrapped(key + _wrapped(episode * GAMMA)))


def bits(stream: Bits, counter: Bits) -> Bits:
    """Return the 64 random bits at one place of a stream."""
    return mix(_wrapped(stream + _wrapped((counter + 1) * GAMMA)))


def sight(stream: Bits) -> Bits:
    """Return the stream from which an episode draws what is seen where sight is noisy: after step t, at counter t."""
    return mix(_wrapped(stream ^ SIGHT))


def misread(streams: NDArray[np.uint64], steps: NDArray[np.int64], count: int, error: float) -> NDArray[np.bool_]:
    """Return which of `count` bits are seen wrongly, (n, count), each with probability `error`.

    Args:
        streams: (n,), of episodes.
        steps: (n,), that were made in them.
        count: at most 16.
        error: a probability.
    """
    counters = (steps[:, None] * 16 + np.arange(count)).astype(np.uint64)
    drawn: NDArray[np.bool_] = bits(np.asarray(sight(streams))[:, None], counters) >> np.uint64(11) < below(error)
    return drawn


def later(stream: Bits, counters: Bits) -> Bits:
    """Return the stream whose counter 0 is this one's counter `counters`."""
    return _wrapped(stream + _wrapped(counters * GAMMA))


def below(probability: Any) -> NDArray[np.uint64]:
    """Return t, so that `bits(...) >> 11 < t` exactly where `uniform(...) < probability`."""
    return np.ceil(np.asarray(probability) * 2.0**53).astype(np.uint64)


def uniform(stream: Bits, counter: Bits) -> Any:
    """Return a uniform number in [0, 1), a multiple of 2**-53."""
    return (bits(stream, counter) >> 11) * 2.0**-53


def choice(stream: Bits, counter: Bits, n: Bits) -> Bits:
    """Return a number in 0..n-1, n below 2**32, by multiply-shift (Lemire 2019; the bias is below n / 2**32)."""
    return (bits(stream, counter) >> 32) * n >> 32


class Streams:
    """The streams from which lanes draw in one episode each.

    Args:
        key: (n,) uint64, the lanes' keys.
        episode: (n,) int64, the numbers of their episodes.
    """

    def __init__(self, key: NDArray[np.uint64], episode: NDArray[np.int64]) -> None:
        self.key, self.episode = key, episode

    @cached_property
    def values(self) -> NDArray[np.uint64]:
        """(n,): the streams; hashed when they are first needed."""
        return np.asarray(stream(self.key, self.episode.astype(np.uint64)))

    def __getitem__(self, some: Any) -> "Streams":
        """Return the streams of some of the lanes, by an index array or a mask."""
        return Streams(self.key[some], self.episode[some])

    def bits(self, counter: int) -> NDArray[np.uint64]:
        """Return the 64 random bits at one place of each stream, (n,)."""
        return np.asarray(bits(self.values, counter))

    def choice(self, counter: int, n: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return a number in 0..n-1 for each lane; see `choice`."""
        return np.asarray(choice(self.values, counter, n)).astype(np.int64)


class RandomBlock:
    """The random numbers of many lanes, one a tick for each, hashed for a block of ticks at a time.

    Args:
        lanes: the number of lanes.
    """

    def __init__(self, lanes: int) -> None:
        self._streams = np.zeros(lanes, dtype=np.uint64)
        self._ticks = max(1, _BLOCK // lanes)
        self._bits = np.zeros((self._ticks, lanes), dtype=np.uint64)
        self._first = -self._ticks

    def begin(self, lanes: NDArray[np.int64], streams: NDArray[np.uint64], tick: int, counter: Any) -> None:
        """Let lanes draw from these streams: at `tick` the bits at `counter` (an int, or one a lane), and so on."""
        offset = counter - tick & MASK if isinstance(counter, int) else (counter - tick).astype(np.uint64)
        self._streams[lanes] = later(streams, offset)
        left = np.arange(tick, self._first + self._ticks, dtype=np.uint64)
        if len(left):
            self._bits[-len(left) :, lanes] = bits(self._streams[lanes], left[:, None]) >> 11

    def copy(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
        """Let target lanes draw what source lanes draw."""
        self._streams[target] = self._streams[source]
        self._bits[:, target] = self._bits[:, source]

    def at(self, tick: int) -> NDArray[np.uint64]:
        """Return the upper 53 bits that each lane draws at a tick, (lanes,); read-only by convention."""
        if not 0 <= tick - self._first < self._ticks:
            self._first = tick
            ticks = np.arange(tick, tick + self._ticks, dtype=np.uint64)
            self._bits = bits(self._streams, ticks[:, None]) >> 11
        return self._bits[tick - self._first]


_BLOCK: Final = 2**14  # numbers that are hashed at a time
