"""Syllabus: the levels of a generator as the tasks of a curriculum."""

from typing import Any

import gymnasium

from ..envs import MazeEnv
from ..extras import require


def syllabus(env: gymnasium.Env[Any, Any], levels: int) -> Any:
    """Return an environment whose task is the number of its level, as a `TaskWrapper` of Syllabus.

    A task is a seed as `level_seeds` takes it: the same number is the same maze everywhere. `reset(new_task=7)` begins
    in that maze; a task is completed where the goal is reached.

    Args:
        env: an environment whose mazes are drawn by a generator, such as `mazegrad/Maze-v0`.
        levels: the number of tasks, 0 to levels - 1.

    Raises:
        MissingExtra: Syllabus is not installed.
        ValueError: an environment whose maze stays.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.adapters import syllabus
        >>> env = syllabus(gymnasium.make("mazegrad/Maze-v0"), levels=100)
        >>> _, info = env.reset(new_task=7)
        >>> info["task"], env.unwrapped.maze == env.unwrapped.level(7)
        (7, True)
    """
    core: Any = require("syllabus.core", "syllabus")
    spaces = require("syllabus.task_space", "syllabus")
    bare: Any = env.unwrapped
    if not isinstance(bare, MazeEnv) or bare.episodes_per_level is None:
        raise ValueError("the tasks are levels: make an environment that draws them, such as mazegrad/Maze-v0")

    base: Any = core.TaskWrapper
    maze_env: MazeEnv = bare

    class LevelTasks(base):  # type: ignore[misc]
        """A `MazeEnv` whose levels are tasks."""

        def __init__(self) -> None:
            super().__init__(env)
            self.task_space = spaces.DiscreteTaskSpace(levels)
            self.task = 0

        def reset(self, *, new_task: int | None = None, **keywords: Any) -> tuple[Any, dict[str, Any]]:
            """Begin an episode in the level of a task, by default the last one's."""
            self.task = self.task if new_task is None else int(new_task)
            options = {**(keywords.pop("options", None) or {}), "maze": maze_env.level(self.task)}
            seen, info = self.env.reset(options=options, **keywords)
            return seen, {**info, "task": self.task, "task_completion": 0.0}

        def _task_completion(self, *step: Any) -> float:
            return float(maze_env.at_goal)

    return LevelTasks()
