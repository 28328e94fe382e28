"""Mazes as a data set of reasoning-gym: importing this file registers "mazegrad_maze" there (extra: reasoning).

import reasoning_gym
import mazegrad.adapters.reasoning

data = reasoning_gym.create_dataset("mazegrad_maze", size=100, grid_size=15, seed=1)
data.score_answer("RRDD", data[0])  # 1.0 for any shortest path
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..envs import GENERATORS
from ..extras import require
from ..puzzles import MazePuzzles

NAME: Final = "mazegrad_maze"
_base: Any = require("reasoning_gym.dataset", "reasoning").ProceduralDataset
_register: Any = require("reasoning_gym.factory", "reasoning").register_dataset


@dataclass
class MazeConfig:
    """The settings of a data set; see `mazegrad.puzzles.puzzles`."""

    grid_size: int = 15
    """tiles of a side"""
    shortest: int = 20
    """the fewest steps of a shortest path"""
    generator: str = "backtracker"
    braid: float = 0.0
    seed: int | None = None
    size: int = 500
    """puzzles"""

    def validate(self) -> None:
        """Raise AssertionError for settings that cannot be, as reasoning-gym's own do."""
        assert self.grid_size >= 5, "grid_size must be >= 5"
        assert self.shortest >= 1, "shortest must be >= 1"
        assert 0 <= self.braid <= 1, "braid must be from 0 to 1"
        assert self.generator in GENERATORS, f"generator must be one of {', '.join(GENERATORS)}"
        assert self.size >= 1, "size must be >= 1"


class MazeDataset(_base):  # type: ignore[misc, unused-ignore]
    """Mazes of which no two are equal, turned or mirrored; the answer is a shortest path as letters U, R, L and D."""

    def __init__(self, config: MazeConfig) -> None:
        super().__init__(config=config, seed=config.seed, size=config.size)
        self._puzzles = MazePuzzles(
            size=config.size, grid_size=config.grid_size, shortest=config.shortest, generator=config.generator,
            braid=config.braid, seed=self.seed,
        )  # fmt: skip

    def __getitem__(self, idx: int) -> dict[str, Any]:
        """Return question, answer and metadata of a puzzle."""
        entry = self._puzzles[idx]
        difficulty = {"grid_size": self.config.grid_size, "shortest": self.config.shortest, "braid": self.config.braid}
        entry["metadata"] |= {"source_dataset": NAME, "difficulty": difficulty}
        return entry

    def score_answer(self, answer: str | None, entry: Mapping[str, Any]) -> float:
        """Return 1.0 for any shortest path, as moves or as a drawing with the path as o; else 0.0."""
        return self._puzzles.score_answer(answer, entry)


_register(NAME, MazeDataset, MazeConfig)
