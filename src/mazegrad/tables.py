"""Tabular learners for `mazegrad train`: counted, scored and saved as the learners with nets are."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np

from .agents.learners import (
    SARSA,
    DoubleQLearning,
    DynaQ,
    ExpectedSARSA,
    PrioritizedSweeping,
    QLearning,
    TDLearner,
)

TABLES: Final[Mapping[str, type[TDLearner]]] = {
    "q_learning": QLearning,
    "double_q_learning": DoubleQLearning,
    "sarsa": SARSA,
    "expected_sarsa": ExpectedSARSA,
    "dyna_q": DynaQ,
    "prioritized_sweeping": PrioritizedSweeping,
}

_PARTS: Final = 100
"""of a training, each a point of the curve"""


class Counted(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Count steps, and the discounted return, the length and the success of each episode."""

    def __init__(self, env: gymnasium.Env[Any, Any], discount: float) -> None:
        super().__init__(env)
        self.discount, self.steps = discount, 0
        self._discounted, self._factor, self._length = 0.0, 1.0, 0
        self.finished: list[tuple[float, int, bool]] = []

    def reset(self, **keywords: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self._discounted, self._factor, self._length = 0.0, 1.0, 0
        return self.env.reset(**keywords)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and count."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.steps += 1
        self._length += 1
        self._discounted += self._factor * float(reward)
        self._factor *= self.discount
        if terminated or truncated:
            success = bool(getattr(self.env.unwrapped, "at_goal", terminated))
            self.finished.append((self._discounted, self._length, success))
        return observation, reward, terminated, truncated, info


class TableTraining:
    """A tabular learner, with what `mazegrad train` asks of any learner: see `agents.learners.Learner`.

    Args:
        name: one of `TABLES`.
        env: a single environment.
        settings: keywords of the learner.
        keywords: those that the environment was made with; they are kept in the file.
        rng: for the learner.
    """

    def __init__(
        self,
        name: str,
        env: gymnasium.Env[Any, Any],
        settings: Mapping[str, Any],
        keywords: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> None:
        self.name, self.keywords = name, keywords
        self.discount = float(settings.get("discount", 0.99))
        self.env = Counted(env, self.discount)
        kind: Callable[..., TDLearner] = TABLES[name]
        self.table = kind(self.env, **settings, rng=rng)
        self.seed: int | None = int(rng.integers(2**31))
        self.curve: list[dict[str, float]] = []

    @property
    def steps(self) -> int:
        """Made so far."""
        return self.env.steps

    def train(self, steps: int, report: Callable[[Any], None]) -> None:
        """Train for so many steps more, and report a hundred times."""
        goal = self.steps + steps
        while self.steps < goal:
            self.table.train(steps=min(-(-steps // _PARTS), goal - self.steps), seed=self.seed)
            self.seed = None  # for the first episode alone
            discounted, lengths, successes = np.array(self.env.finished, dtype=float).T
            self.curve.append(
                {
                    "steps": float(self.steps), "episodes": float(len(lengths)), "discounted": float(discounted.mean()),
                    "length": float(lengths.mean()), "success": float(successes.mean()),
                }
            )  # fmt: skip
            self.env.finished.clear()
            report(self)

    def score(self, name: str) -> float:
        """Return the last "discounted", "length" or "success"; NaN before the first."""
        return self.curve[-1][name] if self.curve else float("nan")

    def save(self, path: Path) -> None:
        """Write the table, and where it was trained."""
        spec = self.env.spec
        about = {
            "environment": {"id": None if spec is None else spec.id, "keywords": dict(self.keywords)},
            "learner": self.name,
            "steps": self.steps,
        }
        self.table.save(path, json.dumps(about))
