"""Q-learning: a table of what each action is worth, learned from what comes of it."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class QLearning:
    """Tabular Q-learning (Watkins & Dayan 1992; Sutton & Barto 2018, section 6.5), epsilon-greedy while it trains.

    As an agent it is greedy, and remembers nothing: what it can learn is a map from what is seen to an action.

    Args:
        env: a single environment with discrete actions; any observation of numbers is a row of the table.
        learning_rate: above 0, at most 1: the share of the difference that one step corrects.
        discount: from 0 to 1.
        epsilon: from 0 to 1: the share of actions that are taken at random while training.
        rng: for those, and for ties.

    Raises:
        ValueError: actions that are not discrete, or a number out of its range.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        *,
        learning_rate: float = 0.1,
        discount: float = 0.99,
        epsilon: float = 0.1,
        rng: np.random.Generator,
    ) -> None:
        if not isinstance(env.action_space, spaces.Discrete):
            raise ValueError(f"Q-learning needs discrete actions, not {env.action_space}")
        for name, value in (("learning_rate", learning_rate), ("discount", discount), ("epsilon", epsilon)):
            if not 0 <= value <= 1 or (name == "learning_rate" and value == 0):
                raise ValueError(f"{name} is a number from 0 to 1, not {value}")
        self._env, self._rng = env, rng
        self._learning_rate, self._discount, self._epsilon = learning_rate, discount, epsilon
        self._actions = int(env.action_space.n)
        self._axes = len(env.observation_space.shape or ())
        self.values: dict[bytes, NDArray[np.float64]] = {}
        """observation, as bytes -> (actions,): the estimated return of each action; 0 for what was never seen"""

    def train(self, episodes: int, seed: int | None = None) -> NDArray[np.float64]:
        """Learn from so many episodes; the first is that of `env.reset(seed=seed)`.

        Returns:
            (episodes,): their returns, not discounted.

        Raises:
            ValueError: the number of episodes is not positive.
        """
        if episodes < 1:
            raise ValueError(f"episodes is a positive number, not {episodes}")
        return np.array([self._learn(self._env.reset(seed=None if i else seed)[0]) for i in range(episodes)])

    def _learn(self, observation: Any) -> float:
        total, over, row = 0.0, False, self._row(observation)
        while not over:
            action = self._choose(row)
            observation, reward, terminated, truncated, _ = self._env.step(action)
            after = self._row(observation)
            # an episode that is cut short would have gone on: only its end is worth nothing
            target = float(reward) + (0.0 if terminated else self._discount * after.max())
            row[action] += self._learning_rate * (target - row[action])
            total, over, row = total + float(reward), terminated or truncated, after
        return total

    def _choose(self, row: NDArray[np.float64]) -> int:
        if self._rng.random() < self._epsilon:
            return int(self._rng.integers(self._actions))
        return int(self._rng.choice(np.flatnonzero(row == row.max())))

    def _row(self, observation: Any) -> NDArray[np.float64]:
        return self.values.setdefault(np.asarray(observation).tobytes(), np.zeros(self._actions))

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return None: it remembers nothing."""

    def act(self, observation: Any, state: None) -> tuple[Any, None]:
        """Return the action that is worth most, the first of equals, for one observation or a batch of them."""
        seen, nothing = np.asarray(observation), np.zeros(self._actions)
        if seen.ndim == self._axes:
            return int(self.values.get(seen.tobytes(), nothing).argmax()), None
        return np.array([self.values.get(row.tobytes(), nothing).argmax() for row in seen], dtype=np.int64), None
