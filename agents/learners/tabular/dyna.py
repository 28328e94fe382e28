"""Dyna: what was met becomes a model, and between two steps the learner learns from that, as if it walked there."""

import heapq
import math
from typing import Any

import gymnasium
import numpy as np

from ....envs.maps.arguments import whole
from .schedules import Schedule, as_schedule
from .temporal import EXPLORATION, Target, TDLearner
from .value_table import Row

# an outcome: [share, reward, row after it, whether the episode ends]
_SHARE, _REWARD, _AFTER, _ENDS = range(4)


class DynaQ(TDLearner):
    """Dyna-Q and Dyna-Q+ (Sutton, 1990; Sutton & Barto 2018, sections 8.2 and 8.3).

    After each step the model is updated, and the pair that was taken and `planning` others are updated from it: an
    observation met before and an action taken there, both drawn at random. The model keeps, for each pair, how often
    which outcome has come; an update takes their mean. Where nothing is random that is the book's algorithm.

    Args:
        env, discount, epsilon, rng: see `TDLearner`.
        planning: updates a step beside that of the pair that was taken; 0 learns from the step alone.
        bonus: kappa of Dyna-Q+: planning adds kappa * sqrt(steps since the pair was taken last) to the reward, so that
            what was left alone for long is tried again; actions never taken count too, as if they stayed and earned 0.
        forget: the share of what is known of a pair that a new outcome replaces: 0 keeps the mean of all, for a world
            that stays as it is; 1 only the last one, the book's way, for a world that may change.
        learning_rate: see `TDLearner`; the model has taken the mean already, so 1 is best.
        target: "max" or "expected", see `TDLearner`.
        initial: see `TDLearner`.

    Raises:
        ValueError, TypeError: as `TDLearner`; a number out of its range.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import DynaQ
        >>> from mazegrad.envs import MazeEnv
        >>> env = MazeEnv("dyna_maze", observation="index")
        >>> for planning in (0, 5, 50):  # Sutton & Barto, figure 8.2
        ...     learner = DynaQ(env, planning=planning, rng=np.random.default_rng(0))
        ...     _ = learner.train(episodes=4, seed=0)
        ...     print(planning, learner.lengths)
        0 [310, 166, 259, 82]
        5 [289, 169, 109, 51]
        50 [275, 26, 24, 20]
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        *,
        planning: int = 10,
        bonus: float = 0.0,
        forget: float = 0.0,
        target: Target = "max",
        learning_rate: float | Schedule = 1.0,
        discount: float = 0.99,
        epsilon: float | Schedule = EXPLORATION,
        initial: float | None = None,
        rng: np.random.Generator,
    ) -> None:
        if target == "sample":
            raise ValueError('target must be "max" or "expected": a model does not know which action is taken next')
        super().__init__(
            env, target=target, learning_rate=learning_rate, discount=discount, epsilon=epsilon, initial=initial,
            rng=rng,
        )  # fmt: skip
        if not 0 <= bonus < math.inf:
            raise ValueError(f"bonus must be 0 or a positive number, not {bonus!r}")
        self.planning, self.bonus = whole("planning", planning, 0), float(bonus)
        self.forget = as_schedule("forget", forget)(0)
        self.time = 0
        """steps made so far"""
        self._met: list[tuple[Row, list[int]]] = []  # rows with a model, and the actions taken there

    def learn(
        self,
        row: Row,
        action: int,
        reward: float,
        after: Row,
        terminated: bool,
        truncated: bool,
        following: int,
        epsilon: float,
    ) -> None:
        """Learn from one step, and from as many of the model's as `planning` says; see `TDLearner.learn`."""
        self.remember(row, action, reward, after, terminated)
        self.update(row, action, epsilon)
        met, uniforms, bonus = self._met, self._uniforms, self.bonus
        for _ in range(self.planning):
            one, taken = met[int(next(uniforms) * len(met))]
            act = int(next(uniforms) * self.actions) if bonus else taken[int(next(uniforms) * len(taken))]
            self.update(one, act, epsilon, bonus)

    def remember(self, row: Row, action: int, reward: float, after: Row, terminated: bool) -> None:
        """Put an outcome into the model."""
        if row.model is None or row.taken is None:
            row.model, row.taken = [None] * self.actions, [0] * self.actions
            self._met.append((row, []))
            row.number = len(self._met) - 1
        self.time += 1
        row.taken[action] = self.time
        outcomes = row.model[action]
        if outcomes is None or self.forget == 1:
            if outcomes is None:
                self._met[row.number][1].append(action)
            row.model[action] = [[1.0, reward, after, terminated]]
            return
        seen = sum(outcome[_SHARE] for outcome in outcomes)
        if self.forget:
            for outcome in outcomes:
                outcome[_SHARE] *= (1 - self.forget) / seen
        share = self.forget or 1.0
        for outcome in outcomes:
            if outcome[_AFTER] is after and outcome[_REWARD] == reward and outcome[_ENDS] == terminated:
                outcome[_SHARE] += share
                return
        outcomes.append([share, reward, after, terminated])

    def target_of(self, row: Row, action: int, epsilon: float, bonus: float = 0.0) -> float:
        """Return what the model says of a pair: the mean over its outcomes of reward and discounted value."""
        outcomes = row.model[action] if row.model is not None else None
        extra = bonus * math.sqrt(self.time - row.taken[action]) if bonus and row.taken is not None else 0.0
        if outcomes is None:  # never taken: as if it stayed and earned 0
            return extra + self.discount * self.expected(row, 0, epsilon)
        if len(outcomes) == 1:
            _, reward, after, ends = outcomes[0]
            return extra + reward + (0.0 if ends else self.discount * self.expected(after, 0, epsilon))
        total = weight = 0.0
        for share, reward, after, ends in outcomes:
            total += share * (reward + (0.0 if ends else self.discount * self.expected(after, 0, epsilon)))
            weight += share
        return extra + total / weight

    def update(self, row: Row, action: int, epsilon: float, bonus: float = 0.0) -> None:
        """Move the value of a pair towards what the model says."""
        self.move(row, action, self.target_of(row, action, epsilon, bonus))


class PrioritizedSweeping(DynaQ):
    """Prioritised sweeping (Moore & Atkeson, 1993; Peng & Williams, 1993; Sutton & Barto 2018, section 8.4).

    The model's updates go where they change most: pairs wait in a queue by the size of their error, and an update puts
    those that lead to it into the queue.

    Args:
        env, forget, learning_rate, target, discount, epsilon, initial, rng: see `DynaQ`.
        planning: the largest number of updates a step; none are made when the queue is empty.
        threshold: errors smaller than this do not enter the queue; above 0.

    Raises:
        ValueError, TypeError: as `DynaQ`.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import PrioritizedSweeping, regret
        >>> from mazegrad.envs import MazeEnv
        >>> env = MazeEnv("dyna_maze", observation="index")
        >>> learner = PrioritizedSweeping(env, planning=100, rng=np.random.default_rng(0))
        >>> _ = learner.train(episodes=2, seed=0)
        >>> round(float(regret(env.world, learner)), 3)  # after two episodes it knows the shortest way
        0.0
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        *,
        planning: int = 10,
        threshold: float = 1e-4,
        rng: np.random.Generator,
        **keywords: Any,
    ) -> None:
        if keywords.pop("bonus", 0):
            raise ValueError("bonus does not go together with prioritised sweeping: use DynaQ")
        super().__init__(env, planning=planning, rng=rng, **keywords)
        if not 0 < threshold < math.inf:
            raise ValueError(f"threshold must be a positive number, not {threshold!r}")
        self.threshold = float(threshold)
        self._queue: list[tuple[float, int, Row, int]] = []  # (-error, number, row, action): the largest error first
        self._waiting: dict[tuple[int, int], float] = {}  # (id of the row, action) -> the error it waits with
        self._number = 0

    def learn(
        self,
        row: Row,
        action: int,
        reward: float,
        after: Row,
        terminated: bool,
        truncated: bool,
        following: int,
        epsilon: float,
    ) -> None:
        """Learn from one step, and from as many of the model's as `planning` says; see `TDLearner.learn`."""
        self.remember(row, action, reward, after, terminated)
        if not terminated:
            if after.before is None:
                after.before = {}
            after.before[row, action] = None
        self._wait(row, action, epsilon)
        for _ in range(self.planning + 1):
            if not self._queue:
                break
            _, _, one, act = heapq.heappop(self._queue)
            if self._waiting.pop((id(one), act), None) is None:
                continue  # it has been updated since, with a larger error
            self.update(one, act, epsilon)
            for other, its_action in one.before or ():
                self._wait(other, its_action, epsilon)

    def _wait(self, row: Row, action: int, epsilon: float) -> None:
        """Put a pair into the queue, if its error is large enough and larger than that it waits with."""
        error = abs(self.target_of(row, action, epsilon) - row.q[action])
        if error > max(self.threshold, self._waiting.get((id(row), action), 0.0)):
            self._waiting[id(row), action] = error
            self._number += 1
            heapq.heappush(self._queue, (-error, self._number, row, action))
