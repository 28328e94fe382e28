"""If dots were eaten, exercise 38 would need no memory: W = I, U = 0 follows the path, and so would an MLP."""

from typing import Any

import gymnasium
import numpy as np

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import LinearRNN, RNNAgent, evaluate
from mazegrad.envs.maps.directions import OFFSETS
from mazegrad.script import start


class EatenDots(gymnasium.Wrapper[Any, int, Any, int]):
    """Hide the dots of all cells that the agent has visited in this episode."""

    def reset(self, **keywords: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode with all dots in place."""
        self.eaten: set[tuple[int, int]] = set()
        observation, info = self.env.reset(**keywords)
        return self.without_eaten(observation), info

    def step(self, action: int) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and eat the dot."""
        observation, *rest = self.env.step(action)
        return self.without_eaten(observation), *rest

    def without_eaten(self, dots: np.ndarray) -> np.ndarray:
        """Return the dots that are left, and eat the one on the agent's cell."""
        env = self.env.unwrapped
        row, column = divmod(int(env.world.cell[env.state]), env.maze.width)
        self.eaten.add((row, column))
        left = [(row + dr, column + dc) not in self.eaten for dr, dc in OFFSETS.tolist()]
        return dots * np.array(left, dtype=dots.dtype)


def main() -> None:
    memoryless = RNNAgent(LinearRNN(W=np.eye(4), U=np.zeros((4, 4)), b=np.zeros(4), h0=[1, 0, 0, 0]))
    for maze in ("from_the_end", "long_way"):
        for name, wrap in (("dots stay", lambda env: env), ("dots are eaten", EatenDots)):
            env = wrap(gymnasium.make("mazegrad/PathFollow-v0", maze=maze))
            print(f"{maze:13} {name:15} {evaluate(env, memoryless, episodes=1, seed=0)}")


if __name__ == "__main__":
    start(main)
