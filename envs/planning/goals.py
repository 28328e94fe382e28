"""Goals drawn at random: which tiles an agent can be sent to, and what it earns by arriving."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ..core.world import World
from ..maps.goals import moved_goal, without_goals
from ..maps.legend import REWARDS
from ..maps.levels import Levels
from ..maps.maze import Maze


def random_goals(maze: Maze) -> Levels:
    """Return levels of a maze, each with its goal on another tile: floor, or where a goal was, that can be reached.

    The key of a level is the cell of its goal, row * width + column.

    Raises:
        ValueError: no such tile can be reached from a start.
    """
    world = World.compile(without_goals(maze))
    seen = np.zeros(world.states, dtype=np.bool_)
    ahead = np.unique(world.start_states)
    while len(ahead):
        seen[ahead] = True
        ahead = np.unique(world.next_state[ahead])
        ahead = ahead[~seen[ahead]]
    cells = np.unique(world.cell[seen])
    free = np.isin(maze.tiles.ravel()[cells], [ord("."), ord("G")])
    if not free.any():
        raise ValueError("random goals need floor, '.', that can be reached from a start")
    return Levels(partial(_goal_at, maze), keys=tuple(cells[free].tolist()))


def _goal_at(maze: Maze, cell: int) -> Maze:
    return moved_goal(divmod(cell, maze.width), maze)


def goal_reward(
    achieved_goal: Any, desired_goal: Any, info: Any = None, *, rewards: Mapping[str, float], maze: Maze
) -> Any:
    """Return what moves earn that end where an agent is, while a goal is wanted elsewhere or there.

    Args:
        achieved_goal, desired_goal: where the agents are and where their goals are, (2,) or (n, 2), in any encoding.
        info: not used.
        rewards: over those of the maze.
        maze: whose rewards for a step and for a goal count.

    Returns:
        A float, or (n,) float64: the reward for a step, and where goals are achieved that for a goal with it.
    """
    earned = {**REWARDS, **(maze.setting("rewards") or {}), **rewards}
    there = (np.asarray(achieved_goal) == np.asarray(desired_goal)).all(axis=-1)
    reward = earned["step"] + np.where(there, earned["goal"], 0.0)
    return float(reward) if reward.ndim == 0 else reward
