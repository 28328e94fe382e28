"""An agent maps an observation and its own state to an action and its next state; the caller keeps the state."""

from typing import Any, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Agent(Protocol):
    """Anything that chooses actions.

    The caller keeps the agent's state. So one agent can act in any number of environments at once, and an episode can
    be stopped, copied and continued at any step. With `batch_size=None` there is one observation, and the action is an
    int; with a number, observations, states and actions are arrays whose first axis is the batch.

    An agent may have a method `check_environment(env)`, which raises ValueError where the environment's observations
    are not what it reads; `rollout` and `evaluate` call it.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import Agent, rollout
        >>> from mazegrad.envs import MazeEnv
        >>> class Stepper:  # its state is a count of its steps
        ...     def initial_state(self, batch_size=None):
        ...         return 0 if batch_size is None else np.zeros(batch_size, dtype=int)
        ...     def act(self, observation, state):
        ...         return state % 4, state + 1
        >>> isinstance(Stepper(), Agent)
        True
        >>> rollout(MazeEnv("four_rooms"), Stepper(), seed=0, max_steps=5).actions
        array([0, 1, 2, 3, 0])
    """

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the state before the first observation of an episode."""

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action and the next state; the given state is not changed."""


A = TypeVar("A", bound=Agent)


def checked_agent(agent: A) -> A:
    """Return the agent.

    Raises:
        TypeError: not an agent, but a function or a class, say.
    """
    if isinstance(agent, type):
        raise TypeError(f"expected an agent, not its class; use {agent.__name__}(...)")
    if not isinstance(agent, Agent):
        raise TypeError(
            f"expected an agent, an object with the methods initial_state and act, not {type(agent).__name__}"
        )
    return agent
