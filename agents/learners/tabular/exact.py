"""What a learner has missed: its greedy policy and its values beside the exact optimum of its world."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....envs import MazeEnv, World, evaluate_policy, value_iteration
from .temporal import TDLearner


def learned_values(world: World, learner: TDLearner) -> NDArray[np.float64]:
    """Return what the learner thinks each action is worth in each state of a world, (S, actions).

    Args:
        world: whose states are observed as the learner's environment shows them.
        learner: one that learns in one of this library's environments.

    Raises:
        TypeError: it learns elsewhere.
    """
    return learner.action_values(env_of(learner).observations(world))


def greedy_policy(world: World, learner: TDLearner) -> NDArray[np.int64]:
    """Return the action that the learner takes in each state of a world, (S,); see `learned_values`."""
    best: NDArray[np.int64] = learned_values(world, learner).argmax(axis=1)
    return best


def regret(world: World, learner: TDLearner) -> float:
    r"""Return by how much the learner's greedy policy falls short of the best one, in expected discounted return.

    Both are exact, and averaged over the starts; inf where at discount 1 the greedy policy may never end.

    Args:
        world, learner: see `learned_values`.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import QLearning, regret
        >>> env = gymnasium.make("mazegrad/GridWorld-v0", maze="S..G\n", observation="index")
        >>> untrained = QLearning(env, rng=np.random.default_rng(0))
        >>> regret(env.unwrapped.world, untrained) > 0
        True
    """
    policy = greedy_policy(world, learner)
    best = value_iteration(world, discount=learner.discount).expected_return
    try:
        return best - evaluate_policy(world, policy, discount=learner.discount).expected_return
    except ValueError:
        if learner.discount < 1:
            raise
        return np.inf


def env_of(learner: Any) -> MazeEnv:
    """Return the environment in which a learner learns, if it is one of this library's.

    Raises:
        TypeError: it is not, or this is not such a learner.
    """
    if not isinstance(learner, TDLearner):
        raise TypeError(f"this compares a learner of a table, such as QLearning, not a {type(learner).__name__}")
    env = learner.env.unwrapped
    if not isinstance(env, MazeEnv):
        raise TypeError(f"exact values are known of this library's environments, not of a {type(env).__name__}")
    return env
