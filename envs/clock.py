"""The clock: which episode a lane is in, what it draws, and when it is truncated; for one lane and for many."""

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .engines.engine import Lanes
from .maps.randomness import MASK, STEPS, RandomBlock, Streams, checked_seed, key_from_seed


def renewed(seed: Any, key: int | None, episode: int) -> tuple[int, int]:
    """Return the key and the episode of a lane that is reset with a seed, or with None.

    Raises:
        TypeError, ValueError: see `checked_seed`.
    """
    if seed is not None:
        return int(key_from_seed(checked_seed(seed))), 0
    if key is None:
        return int(key_from_seed(secrets.randbits(64))), 0
    return key, episode + 1


class Clock:
    """The episodes of many lanes: their keys and numbers, when they began, and when they are truncated.

    A calendar of deadlines takes the place of a counter a lane, so that a step costs no array operation.

    Args:
        lanes: the number of lanes.
    """

    def __init__(self, lanes: int) -> None:
        self.key = np.zeros(lanes, dtype=np.uint64)
        self.episode = np.full(lanes, -1)
        self.time = 0  # steps of all lanes since the clock was made
        self.earlier = np.zeros(lanes, dtype=np.int64)
        """steps of each lane's episodes before, since it was seeded; see `count`"""
        self._begun, self._due = np.zeros(lanes, dtype=np.int64), np.full(lanes, -1)
        # time -> lanes that are truncated then, unless they end before
        self.calendar: dict[int, list[Lanes]] = {}
        self._random = RandomBlock(lanes)

    def renewed(self, seed: Any, lanes: Lanes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the keys and episodes of lanes that are reset with a seed (lane i has seed + i), a sequence, or None.

        Raises:
            ValueError: not one seed for each lane, a seed out of its range.
            TypeError: a seed that is not an integer.
        """
        count = len(self.key)
        if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
            if len(seed) != count:
                raise ValueError(f"give one seed, or one for each of the {count} lanes, not {len(seed)}")
            if isinstance(seed, np.ndarray) and seed.dtype.kind in "iu" and seed.ndim == 1 and seed.min(initial=0) >= 0:
                key = np.asarray(key_from_seed(seed[lanes].astype(np.uint64)))
                return key, np.zeros(len(lanes), dtype=np.int64)
            keys = [None if old < 0 else key for key, old in zip(self.key.tolist(), self.episode.tolist(), strict=True)]
            pairs = [renewed(seed[lane], keys[lane], int(self.episode[lane])) for lane in lanes.tolist()]
            return np.array([key for key, _ in pairs], dtype=np.uint64), np.array([episode for _, episode in pairs])
        if seed is not None:
            first = checked_seed(seed)
            if first > MASK - count + 1:
                raise ValueError(f"lane i has seed + i, at most 2**64 - 1; seed {first} is too large for {count} lanes")
            key = np.asarray(key_from_seed(lanes.astype(np.uint64) + np.uint64(first)))
            return key, np.zeros(len(lanes), dtype=np.int64)
        key, episode = self.key[lanes], self.episode[lanes]
        unseeded = episode < 0
        if unseeded.any():
            fresh = key_from_seed(lanes.astype(np.uint64) + np.uint64(secrets.randbits(64)))
            key[unseeded] = np.asarray(fresh)[unseeded]
        return key, episode + 1

    def streams(self, lanes: Lanes) -> Streams:
        """Return the streams of these lanes' episodes."""
        return Streams(self.key[lanes], self.episode[lanes])

    def steps(self) -> NDArray[np.int64]:
        """Return the number of steps since each lane's episode began, (lanes,)."""
        return self.time - self._begun

    def count(self, lanes: Lanes, *, late: bool) -> None:
        """Count the steps of the episodes before those that lanes are about to begin.

        Args:
            lanes: their `episode` is that of the new ones.
            late: the last step of the old episodes was the one before.
        """
        made = self.earlier[lanes] + self.steps()[lanes] - late
        self.earlier[lanes] = np.where(self.episode[lanes] == 0, 0, made)

    def begin(self, lanes: Lanes, limits: Any, *, steps: Any = 0) -> None:
        """Begin episodes, or go on with episodes that began `steps` ago.

        Args:
            lanes: the lanes.
            limits: on the steps of an episode: an int, one for each lane, or None; negative ones are none.
            steps: an int, or one for each lane.
        """
        self._begun[lanes] = begun = self.time - steps
        if limits is None:
            self._due[lanes] = -1
            return
        due = np.broadcast_to(np.where(np.less(limits, 0), -1, np.maximum(begun + limits, self.time + 1)), lanes.shape)
        self._due[lanes] = due
        for time in np.unique(due[due >= 0]).tolist():
            self.calendar.setdefault(time, []).append(lanes[due == time])

    def draw(self, lanes: Lanes, streams: Streams, *, steps: Any = 0) -> None:
        """Let the moves of these lanes' episodes draw random numbers, from step `steps` on."""
        self._random.begin(lanes, streams.values, self.time + 1, STEPS + steps)

    def random(self) -> NDArray[np.uint64]:
        """Return the random numbers of this step, (lanes,) 53 bits each; not to be written to."""
        return self._random.at(self.time)

    def truncated(self) -> Lanes:
        """Return the lanes whose limit is reached at this time, which is in the calendar; to be asked once."""
        lanes = np.concatenate(self.calendar.pop(self.time))
        return lanes[self._due[lanes] == self.time]

    def copy(self, source: Lanes, target: Lanes) -> None:
        """Let target lanes go on as source lanes do."""
        for column in (self.key, self.episode, self.earlier, self._begun, self._due):
            column[target] = column[source]
        self._random.copy(source, target)
        for time in np.unique(self._due[target]).tolist():
            if time >= 0:
                self.calendar.setdefault(time, []).append(target[self._due[target] == time])
