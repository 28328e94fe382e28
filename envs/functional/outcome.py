"""What a rollout returns: everything that happened, or what the episodes that ended add up to."""

from typing import Any, NamedTuple

from .namespace import Array, Maybe, namespace
from .structure import State, Tables


class Steps(NamedTuple):
    """Everything that happened, each with (steps, lanes, ...).

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=3))
        >>> steps, state, _ = functional.rollout(tables, np.full((5, 3), RIGHT), state, 5)
        >>> steps.observation.shape, steps.reward.shape
        ((5, 3, 4), (5, 3))
        >>> steps.terminated[:, 0]  # of lane 0
        array([ True, False,  True, False,  True])
    """

    observation: Any
    """what the policy acted on"""
    action: Array
    reward: Array
    terminated: Array
    truncated: Array
    info: dict[str, Any]


class Episodes(NamedTuple):
    """The episodes that ended, summed up for each lane, (lanes,) each.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> actions = np.full((9, 2), RIGHT)
        >>> episodes, _, _ = functional.rollout(tables, actions, state, 9, keep="episodes")
        >>> episodes.episodes, episodes.returns, episodes.lengths  # every second step begins the next episode
        (array([5, 5], dtype=int32), array([5., 5.]), array([5, 5], dtype=int32))
    """

    returns: Array
    """the sum of their returns; with autoreset disabled, the return of the only one"""
    lengths: Array
    """the number of their steps; those that begin the next episode do not count"""
    episodes: Array
    """how many there were"""
    successes: Maybe
    """how many ended on a goal; None unless the tables have the info "success" """
    earned: Array
    """what was earned until now, since the beginning"""
    made: Array
    """steps until now"""
    weight: Maybe
    """of the next reward; None where rewards are not discounted"""


def nothing(tables: Tables, state: State, discount: float) -> Episodes:
    """Return the episodes before a rollout's first step."""
    xp = namespace(state.at)
    zero = state.at & 0
    earned = xp.astype(zero, tables.rewards.dtype)
    successes = zero if "success" in tables.info else None
    return Episodes(earned, zero, zero, successes, earned, zero, None if discount == 1 else earned + 1)


def counted(
    tables: Tables, totals: Episodes, begun: Any, reward: Array, over: Array, facts: Any, discount: Any
) -> Episodes:
    """Return the episodes after a step.

    Args:
        begun: (lanes,) bool, the lanes whose episode was over before; None where that does not happen.
        facts: the info of the states that the step led to.
    """
    xp = namespace(reward)
    weight, add = totals.weight, xp.astype(over, xp.int32)
    made = totals.made + 1 if begun is None else totals.made + xp.astype(~begun, xp.int32)
    earned = totals.earned + (reward if weight is None else reward * weight)
    if weight is not None:
        weight = xp.where(over, weight * 0 + 1, weight * discount)
        weight = weight if begun is None else xp.where(begun, weight * 0 + 1, weight)
    successes = totals.successes
    if successes is not None:
        successes = successes + xp.astype(over & facts["success"], xp.int32)
    return Episodes(
        xp.where(over, earned, totals.returns),
        xp.where(over, made, totals.lengths),
        totals.episodes + add,
        successes,
        earned,
        made,
        weight,
    )
