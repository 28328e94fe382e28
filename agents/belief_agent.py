"""An agent that knows the process but not the state: it remembers how likely each state is, and acts on that."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ..envs import BeliefValues, TabularMDP, World
from ..envs.planning.beliefs import Filter
from ..envs.planning.mdp import as_process


class BeliefAgent:
    """Keeps a belief by Bayes' rule and takes the action of the best plan there; for `mazegrad/Tabular-v0`.

    Its state is the belief, (S,) or (batch, S), and the last action, -1 before the first.

    Args:
        problem: the process, or the World whose process it is.
        values: the plans, of `point_based` or `qmdp`.

    Raises:
        TypeError: not a process.
        ValueError: values of a process with another number of states.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.agents import BeliefAgent, rollout
        >>> from mazegrad.envs import POMDPS, qmdp
        >>> tiger = POMDPS["tiger"]()
        >>> agent = BeliefAgent(tiger.mdp, qmdp(tiger.mdp, discount=0.95))
        >>> walk = rollout(gymnasium.make("mazegrad/Tabular-v0", mdp="tiger"), agent, seed=0, max_steps=5)
        >>> walk.actions[:2]  # listens, and again
        array([0, 0])
    """

    def __init__(self, problem: World | TabularMDP, values: BeliefValues) -> None:
        self.mdp, self.values = as_process(problem), values
        if values.vectors.shape[1] != self.mdp.states:
            raise ValueError(
                f"these values are over {values.vectors.shape[1]} states, the process has {self.mdp.states}"
            )
        self._filter = Filter(self.mdp)

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, Any]:
        """Return how likely each state is at the start, and -1."""
        if batch_size is None:
            return self.mdp.start.copy(), -1
        return np.repeat(self.mdp.start[None], batch_size, axis=0), np.full(batch_size, -1)

    def act(self, observation: Any, state: tuple[Any, Any]) -> tuple[Any, tuple[Any, Any]]:
        """Return the action, and the belief after this observation with the action; for one or for a batch."""
        belief, last = state
        if np.ndim(last) == 0:
            now = self._told(belief, int(last), int(observation))
            action = self.values.action(now)
            return action, (now, action)
        now = np.array(
            [self._told(*row) for row in zip(belief, last.tolist(), np.asarray(observation).tolist(), strict=True)]
        )
        actions = np.array([self.values.action(row) for row in now], dtype=np.int64)
        return actions, (now, actions)

    def _told(self, belief: NDArray[np.float64], last: int, seen: int) -> NDArray[np.float64]:
        sight = self._filter.sight
        if last >= 0:
            belief = self._filter.predicted(belief)[last]
        if seen < sight.shape[2]:
            belief = belief * sight[max(last, 0), :, seen]
        total = belief.sum()
        return belief / total if total > 0 else np.asarray(self.mdp.start)  # a new episode, or another process

    def check_environment(self, env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> None:
        """Check that an environment steps through this process and shows its observations.

        Raises:
            ValueError: it does not.
        """
        made: Any = env.unwrapped
        kind, mdp = getattr(made, "observation_kind", None), getattr(made, "mdp", None)
        if kind != "observation" or mdp is None or (mdp.states, mdp.observations) != (
            self.mdp.states, self.mdp.observations,
        ):  # fmt: skip
            raise ValueError(
                f"the agent knows a process of {self.mdp.states} states and {self.mdp.observations} observations, but "
                f"the environment shows {kind!r} of {mdp!r}; make mazegrad/Tabular-v0 with mdp= the same process"
            )
