"""Prioritised level replay: a buffer of levels that are drawn by their score and by how long they were not played.

Sources: M. Jiang, E. Grefenstette & T. Rocktäschel, Prioritized Level Replay, 2021; robust PLR and ACCEL, which keep
such a buffer too: M. Jiang et al., Replay-Guided Adversarial Environment Design, 2021; J. Parker-Holder et al.,
Evolving Curricula with Regret-Based Environment Design, 2022. The parameters and weights are those of JaxUED (S.
Coward, M. Beukman & J. Foerster, 2024).
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import fraction, whole
from .maze import Maze
from .splits import level_digest

Floats = NDArray[np.float64]


class Replayed(NamedTuple):
    """Levels that were drawn.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import LevelBuffer, suite
        >>> buffer = LevelBuffer(rng=np.random.default_rng(0))
        >>> _ = buffer.insert(suite("easy", "train")[:10], np.arange(10))
        >>> drawn = buffer.draw(3)
        >>> drawn.places, [level.tiles.shape for level in drawn.levels]
        (array([6, 2, 0]), [(11, 11), (11, 11), (11, 11)])
    """

    places: NDArray[np.int64]
    """(n,), where they are in the buffer"""
    levels: list[Maze]


class LevelBuffer:
    """Levels with scores, of which the best and the stalest are drawn again.

    A level's weight is (1 - staleness) * (its weight by score) + staleness * (its weight by age). Time passes by one
    with each level that is inserted or drawn.

    Args:
        capacity: the most levels; when it is full, a new one takes the place of the level with the least weight, if
            its score is higher.
        replay_probability: how often `replay_now` is True, once the buffer is full enough.
        staleness: the share of age in the weights, 0 to 1.
        fill: the share of the capacity that must be filled before levels are replayed.
        by: "rank": weights are (1 / rank by score) ** (1 / temperature); "topk": a softmax of the scores of the k best.
        temperature: of "rank".
        k: of "topk".
        duplicates: whether equal levels are kept side by side; else inserting one again updates its score. Turned and
            mirrored copies count as equal if `symmetric`.
        symmetric: see `duplicates`.
        rng: draws levels.

    Raises:
        ValueError: a parameter that is out of range.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import LevelBuffer, suite
        >>> buffer = LevelBuffer(capacity=4, staleness=0.0, rng=np.random.default_rng(0))
        >>> buffer.insert(suite("easy", "train")[:4], [0.1, 0.4, 0.2, 0.3])
        array([0, 1, 2, 3])
        >>> buffer.weights().round(2)
        array([0.12, 0.48, 0.16, 0.24])
    """

    def __init__(
        self,
        capacity: int = 4000,
        *,
        replay_probability: float = 0.95,
        staleness: float = 0.5,
        fill: float = 1.0,
        by: Literal["rank", "topk"] = "rank",
        temperature: float = 1.0,
        k: int = 1,
        duplicates: bool = False,
        symmetric: bool = False,
        rng: np.random.Generator,
    ) -> None:
        if by not in ("rank", "topk"):
            raise ValueError(f"by must be 'rank' or 'topk', not {by!r}")
        if not temperature > 0:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        self.capacity, self.k = whole("capacity", capacity, 1), whole("k", k, 1)
        self.replay_probability = fraction("replay_probability", replay_probability)
        self.staleness, self.fill = fraction("staleness", staleness), fraction("fill", fill)
        self.by, self.temperature, self.duplicates, self.symmetric, self.rng = (
            by,
            temperature,
            duplicates,
            symmetric,
            rng,
        )
        self.levels: list[Maze] = []
        self.scores: Floats = np.zeros(0)
        """(levels,)"""
        self.extra: list[Any] = []
        """whatever is kept with each level, such as the largest return so far"""
        self.time = 0
        self._played = np.zeros(0, dtype=np.int64)  # the time at which each was inserted or drawn last
        self._place_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.levels)

    # ---------------------------------------------------------------------------------------------------------- drawing
    def replay_now(self) -> bool:
        """Return whether the next levels should be replayed: drawn by chance, once the buffer is full enough."""
        return len(self) >= max(1, self.fill * self.capacity) and bool(self.rng.random() < self.replay_probability)

    def draw(self, n: int) -> Replayed:
        """Draw n levels one after the other, by their weights at that time; a level may be drawn several times.

        Raises:
            ValueError: the buffer is empty.
        """
        if not len(self):
            raise ValueError("the buffer is empty: insert levels before drawing")
        places = np.empty(whole("n", n, 1), dtype=np.int64)
        for i in range(len(places)):
            places[i] = self.rng.choice(len(self), p=self.weights())
            self.time += 1
            self._played[places[i]] = self.time
        return Replayed(places, [self.levels[place] for place in places.tolist()])

    def weights(self) -> Floats:
        """Return the probability of each level to be drawn, (levels,)."""
        return (1 - self.staleness) * self.score_weights() + self.staleness * self.staleness_weights()

    def score_weights(self) -> Floats:
        """Return the part of the weights that comes from the scores, (levels,), with the sum 1."""
        order = np.argsort(-self.scores, kind="stable")
        ranks = np.empty(len(order), dtype=np.float64)
        ranks[order] = np.arange(1, len(order) + 1)
        if self.by == "rank":
            raw: Floats = (1 / ranks) ** (1 / self.temperature)
        else:
            best = ranks <= self.k
            raw = np.where(best, np.exp(self.scores - self.scores[best].max(initial=-np.inf)), 0.0)
        return raw / raw.sum()

    def staleness_weights(self) -> Floats:
        """Return the part of the weights that comes from the time since each was played, (levels,), with the sum 1."""
        stale = (self.time - self._played).astype(np.float64)
        return stale / stale.sum() if stale.sum() > 0 else np.full(len(self), 1 / len(self))

    # --------------------------------------------------------------------------------------------------------- changing
    def insert(
        self, levels: Sequence[Maze], scores: ArrayLike, extra: Sequence[Any] | None = None
    ) -> NDArray[np.int64]:
        """Insert levels one after the other.

        Args:
            levels: new ones; one that is in the buffer already gets the new score, unless `duplicates` are kept.
            scores: (n,), finite.
            extra: n, kept with them.

        Returns:
            (n,): their places; -1 for those that were not good enough.

        Raises:
            ValueError: not one finite score for each level.
        """
        given = np.asarray(scores, dtype=np.float64)
        if given.shape != (len(levels),) or not np.isfinite(given).all():
            raise ValueError(
                f"scores must be {len(levels)} finite numbers, one for each level, not of shape {given.shape}"
            )
        kept = [None] * len(levels) if extra is None else extra
        entries = zip(levels, given.tolist(), kept, strict=True)
        return np.array([self._insert(*entry) for entry in entries], dtype=np.int64)

    def _insert(self, level: Maze, score: float, extra: Any) -> int:
        name = "" if self.duplicates else self._name(level)
        place = self._place_of.get(name, -1) if name else -1
        if place < 0 and len(self) == self.capacity:
            place = int(self.weights().argmin())
            if self.scores[place] >= score:
                self.time += 1
                return -1
            if name:
                del self._place_of[self._name(self.levels[place])]
        self.time += 1
        if place < 0:
            place = len(self)
            self.levels.append(level)
            self.extra.append(extra)
            self.scores, self._played = np.append(self.scores, score), np.append(self._played, self.time)
        self.levels[place], self.scores[place], self.extra[place] = level, score, extra
        self._played[place] = self.time
        if name:
            self._place_of[name] = place
        return place

    def _name(self, level: Maze) -> str:
        return level_digest(level) if self.symmetric else level.digest

    def update(self, places: ArrayLike, scores: ArrayLike, extra: Sequence[Any] | None = None) -> None:
        """Give levels new scores, and what is kept with them; a later entry for a place counts.

        Raises:
            ValueError: scores that are not finite, or not one for each place.
            IndexError: a place that is not in the buffer.
        """
        where, given = np.asarray(places), np.asarray(scores, dtype=np.float64)
        if where.shape != given.shape or not np.isfinite(given).all():
            raise ValueError(f"scores must be finite, one for each place, not of shape {given.shape}")
        for i, (place, score) in enumerate(zip(where.tolist(), given.tolist(), strict=True)):
            self.scores[place] = score
            if extra is not None:
                self.extra[place] = extra[i]
