"""Scores of levels: how much there is to learn in them, from one rollout or from the exact optimum.

A rollout is T steps of n lanes, each lane in a level of its own; episodes that do not end within it do not count, and a
lane without an ended episode has the score -inf.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...envs import World, value_iteration

Floats = NDArray[np.float64]


def positive_value_loss(ended: ArrayLike, advantages: ArrayLike) -> Floats:
    """Return the mean over episodes of the mean positive advantage (PLR's score; Jiang et al. 2021).

    Args:
        ended: (T, n), whether the step ended an episode.
        advantages: (T, n), generalised advantage estimates.

    Returns:
        (n,).

    Example:
        >>> from mazegrad.agents.curricula import positive_value_loss
        >>> ended, advantages = [[False, False], [True, True]], [[0.5, -0.5], [0.1, -0.1]]
        >>> positive_value_loss(ended, advantages).round(2)
        array([0.3, 0. ])
    """
    return _mean_over_episodes(ended, np.maximum(np.asarray(advantages, dtype=np.float64), 0))


def max_monte_carlo(ended: ArrayLike, values: ArrayLike, largest_return: ArrayLike) -> Floats:
    """Return the mean over episodes of the mean of (largest return - value), MaxMC (Jiang et al. 2021).

    Args:
        ended: (T, n), whether the step ended an episode.
        values: (T, n), what the critic expected.
        largest_return: (n,), the largest return that was ever seen in each level.

    Returns:
        (n,).

    Example:
        >>> from mazegrad.agents.curricula import max_monte_carlo
        >>> ended, values = [[False], [True]], [[0.5], [0.7]]
        >>> max_monte_carlo(ended, values, largest_return=[1.0]).round(2)
        array([0.4])
    """
    return _mean_over_episodes(ended, np.asarray(largest_return)[None] - np.asarray(values, dtype=np.float64))


def learnability(successes: ArrayLike) -> Floats:
    """Return p (1 - p): it is largest for levels that are solved half of the time (Rutherford et al. 2024).

    Args:
        successes: (n,), the share p of episodes in each level that succeed, 0 to 1.

    Returns:
        (n,).

    Example:
        >>> from mazegrad.agents.curricula import learnability
        >>> learnability([0.0, 0.5, 0.9, 1.0]).round(2)
        array([0.  , 0.25, 0.09, 0.  ])
    """
    rates = np.asarray(successes, dtype=np.float64)
    if ((rates < 0) | (rates > 1)).any():
        raise ValueError("successes must be rates, from 0 to 1")
    return rates * (1 - rates)


def true_regret(worlds: World, returns: ArrayLike, *, discount: float = 0.99) -> Floats:
    """Return how far mean returns are below the optimum, exactly: V* of each level, over its starts, minus the return.

    Other libraries estimate this by the largest return seen; here the optimum is known.

    Args:
        worlds: n mazes as one World.
        returns: (n,), the agent's mean discounted return in each.
        discount: of the returns.

    Raises:
        ValueError: not one return for each maze.

    Example:
        >>> from mazegrad.agents.curricula import true_regret
        >>> from mazegrad.envs import Maze, World
        >>> worlds = World.compile([Maze.from_text("S.G"), Maze.from_text("SG.")])
        >>> true_regret(worlds, returns=[0.5, 1.0], discount=0.9).round(2)
        array([0.4, 0. ])
    """
    given = np.asarray(returns, dtype=np.float64)
    if given.shape != (len(worlds.mazes),):
        raise ValueError(f"returns must be {len(worlds.mazes)} numbers, one for each maze, not of shape {given.shape}")
    values = value_iteration(worlds, discount=discount).values[worlds.start_states]
    level = worlds.maze_of[worlds.start_states]
    best = np.bincount(level, weights=values, minlength=len(given)) / np.bincount(level, minlength=len(given))
    return best - given


def episode_returns(ended: ArrayLike, rewards: ArrayLike, *, discount: float) -> list[Floats]:
    """Return the discounted returns of each lane's ended episodes, in their order: n arrays, some of them empty.

    Args:
        ended: (T, n), whether the step ended an episode.
        rewards: (T, n); 0 for a step that only resets a lane.
        discount: from 0 to 1, of each step after an episode's first.

    Example:
        >>> from mazegrad.agents.curricula import episode_returns
        >>> ended = [[False, True], [True, False], [False, True]]  # (steps, lanes)
        >>> rewards = [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
        >>> episode_returns(ended, rewards, discount=0.9)
        [array([0.9]), array([1. , 0.9])]
    """
    ends, given = np.asarray(ended, dtype=bool), np.asarray(rewards, dtype=np.float64)
    if ends.ndim != 2 or ends.shape != given.shape:
        raise ValueError(f"expected two arrays (T, n) of one shape, not {ends.shape} and {given.shape}")
    running, factor = np.zeros(ends.shape[1]), np.ones(ends.shape[1])
    found = np.zeros(ends.shape)
    for t, reward in enumerate(given):
        running += factor * reward
        factor *= discount
        found[t] = running
        running[ends[t]], factor[ends[t]] = 0, 1
    return [found[ends[:, lane], lane] for lane in range(ends.shape[1])]


def _mean_over_episodes(ended: ArrayLike, figures: Floats) -> Floats:
    """Return the mean over a lane's ended episodes of the mean figure in each, (n,); -inf without one."""
    ends = np.asarray(ended, dtype=bool)
    if ends.ndim != 2 or ends.shape != figures.shape:
        raise ValueError(f"expected two arrays (T, n) of one shape, not {ends.shape} and {figures.shape}")
    number = np.cumsum(ends, axis=0) - ends  # of each step's episode
    lane = np.broadcast_to(np.arange(ends.shape[1]), ends.shape)
    most = int(number.max(initial=0)) + 1
    key = (lane * most + number).ravel()
    sums = np.bincount(key, weights=figures.ravel(), minlength=ends.shape[1] * most).reshape(-1, most)
    steps = np.bincount(key, minlength=ends.shape[1] * most).reshape(-1, most)
    count = ends.sum(axis=0)
    whole = np.arange(most) < count[:, None]
    means = np.divide(sums, steps, out=np.zeros_like(sums), where=whole & (steps > 0)).sum(axis=1)
    return np.divide(means, count, out=np.full(len(count), -np.inf), where=count > 0)
