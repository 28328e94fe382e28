"""A policy that was computed from tables, as an agent: it looks up the row of the state that it observes."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ..envs import Values
from ..envs.maps.arguments import generator_of_numbers
from ..envs.maps.randomness import stream, uniform
from ..envs.planning.checks import check_distribution


class PolicyAgent:
    """Takes the actions of a policy over states; it needs `observation="state"`. See `agent_from_policy`.

    Example:
        >>> from mazegrad.agents import agent_from_policy
        >>> from mazegrad.envs import Maze, World, value_iteration
        >>> agent = agent_from_policy(value_iteration(World.compile(Maze.from_text("S..G"))))
        >>> agent.policy
        array([1, 1, 1, 0])
        >>> agent.act(2, agent.initial_state())
        (1, None)
    """

    def __init__(self, policy: NDArray[Any], rng: np.random.Generator | None) -> None:
        self.policy, self._rng = policy, None if rng is None else generator_of_numbers(rng)
        # (S, A): the action is the number of bounds that a random number reaches
        self._bounds = np.cumsum(policy, axis=1)[:, :-1] if rng is not None else None

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return None; or where actions are drawn, a fresh key, or (batch_size,) keys, and the number of steps, 0."""
        if self._rng is None:
            return None
        keys = self._rng.integers(2**64, size=batch_size, dtype=np.uint64)
        return (int(keys) if batch_size is None else keys), 0

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action for one state, or those for (batch,) states.

        Raises:
            ValueError: an observation that is not the number of a state of the policy.
        """
        seen, states = np.asarray(observation), len(self.policy)
        if seen.ndim > 1 or seen.dtype.kind not in "iu" or seen.dtype == np.int8:  # int8: the four bits of "dots"
            raise ValueError(
                f"the policy has a row for each of {states} states, but the observation is {seen.dtype} of shape "
                f'{seen.shape}; make the environment with observation="state"'
            )
        if seen.size and not (seen.min() >= 0 and seen.max() < states):
            raise ValueError(
                f"the policy has a row for each of {states} states, but the observation is {seen.max()}; make the "
                'environment with observation="state", and the policy from its own world'
            )
        if self._bounds is None:
            action: NDArray[np.int64] = self.policy[seen]
            return (int(action) if action.ndim == 0 else action), state
        key, steps = state
        drawn = np.asarray(uniform(stream(key, 0), steps))
        action = (drawn[..., None] >= self._bounds[seen]).sum(axis=-1)
        return (int(action) if np.ndim(action) == 0 else action), (key, steps + 1)

    def check_environment(self, env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> None:
        """Check that what an environment shows is a state of this policy's tables.

        Raises:
            ValueError: it shows something else, or has another number of states.
        """
        states, made = len(self.policy), env.unwrapped
        space = env.single_observation_space if isinstance(env, VectorEnv) else env.observation_space
        kind = getattr(made, "observation_kind", "state")
        if kind != "state" or not isinstance(space, spaces.Discrete):
            shown = f"{kind!r}, " if kind != "state" else ""
            raise ValueError(
                f"the policy has a row for each of {states} states, but the environment shows {shown}{space}; make it "
                'with observation="state"'
            )
        own = getattr(getattr(made, "world", None), "states", int(space.n))  # levels may have fewer than the space
        if states not in (int(space.n), own):
            raise ValueError(
                f"the policy has a row for each of {states} states, but the environment has {own}; compute it from "
                "the environment's own world"
            )


def agent_from_policy(
    policy: Values | NDArray[Any] | list[int], *, rng: np.random.Generator | None = None
) -> PolicyAgent:
    """Return an agent that follows a policy over states, in environments with `observation="state"`.

    Args:
        policy: what `value_iteration` or `evaluate_policy` returns, whose best actions are taken, the first of equals;
            or an action for each state, (S,) ints; or the probability of each action, (S, A) floats.
        rng: draws a key for each episode, from which actions are drawn; only for probabilities.

    Raises:
        ValueError: a policy of another shape or kind, probabilities whose sum is not 1, or that have no `rng`.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import agent_from_policy, rollout
        >>> from mazegrad.envs import value_iteration
        >>> env = gymnasium.make("mazegrad/FourRooms-v0", observation="state")
        >>> best = agent_from_policy(value_iteration(env.unwrapped.world).policy)
        >>> len(rollout(env, best, seed=0).actions)
        16
    """
    if isinstance(policy, Values):
        return PolicyAgent(policy.policy, None)
    table = np.asarray(policy)
    if table.ndim == 1 and table.size and table.dtype.kind in "iu":
        if table.min() < 0:
            raise ValueError(f"actions are numbers from 0, not {table.min()}")
        return PolicyAgent(table.astype(np.int64), None)
    if table.ndim == 2 and table.size and table.dtype.kind == "f":
        check_distribution("policy", table)
        if rng is None:
            raise ValueError("a policy of probabilities draws its actions: give rng=numpy.random.default_rng(seed)")
        return PolicyAgent(table.astype(np.float64), rng)
    raise ValueError(f"a policy must be Values, (S,) ints or (S, A) probabilities, not {table.shape} of {table.dtype}")
